import { drawChart } from './chart.js'
import { cities, count, time } from './format.js'

const table = document.querySelector('#answer table')
const [head, body] = [table.tHead, table.tBodies[0]]
const nothing = document.getElementById('nothing')
const summary = document.getElementById('summary')
const saved = document.getElementById('saved')
const number = document.getElementById('headline-number')
const words = document.getElementById('headline-words')
const pages = { '-1': document.getElementById('previous'), 1: document.getElementById('next') }

/**
 * The result as a grid: one stop of Tab, arrows inside. Enter or a double click
 * edits a cell, and the edit is stored.
 */
export class Answer {
  #change
  #onRemove
  #rows = []
  #columns = []
  #shown = '' // the rows on screen, as JSON
  #at = [0, 0] // row and column of the cell that Tab reaches

  /**
   * @param onPage Called with -1 for the previous page and 1 for the next.
   * @param change Runs the function it is given and then draws the page again.
   * @param onRemove Called with the id of the document to remove.
   */
  constructor({ onPage, change, onRemove }) {
    this.#change = change
    this.#onRemove = onRemove
    for (const [direction, button] of Object.entries(pages)) {
      // A disabled button would lose the focus that it has.
      button.addEventListener('click', () => button.ariaDisabled !== 'true' && onPage(Number(direction)))
    }
    body.addEventListener('keydown', event => this.#onKey(event))
    body.addEventListener('click', event => this.#move(...placeOf(event.target)))
    body.addEventListener('dblclick', event => this.#edit(...placeOf(event.target)))
  }

  /** Whether `rows` differ from those on screen. */
  differs(rows) { return JSON.stringify(rows) !== this.#shown }

  /** Whether the visitor is editing a cell, which drawing again would interrupt. */
  get isBusy() { return body.querySelector('input') !== null }

  /**
   * Shows the rows of a query.
   *
   * @param rows A tracked result; or, if `page.total` is undefined, rows that cannot be edited.
   * @param page {total, all, skip, millis}
   * @returns What was on screen before, for flash.
   */
  show(rows, { total, all, skip = 0, millis }) {
    const before = new Map([...body.rows].map(row => [row.dataset.id, row.textContent]))
    const differ = this.differs(rows)
    this.#rows = rows
    if (differ) this.#draw()
    const matches = total ?? rows.length
    const noun = total === undefined ? `${count(matches)} ${matches === 1 ? 'row' : 'rows'}` : cities(matches)
    const range = rows.length < matches && rows.length > 0 ? `, ${skip + 1}–${skip + rows.length} shown` : ''
    summary.replaceChildren(mark(noun), `${range}, in `, mark(time(millis)))
    number.textContent = time(millis)
    words.textContent = `${noun} out of ${count(all)} documents`
    pages[-1].ariaDisabled = String(skip === 0)
    pages[1].ariaDisabled = String(skip + rows.length >= matches)
    drawChart(total === undefined ? rows : [])
    return before
  }

  /** Highlights the rows that differ from `before`, the value that show returned. */
  flash(before) {
    for (const row of body.rows) {
      if (before.get(row.dataset.id) !== row.textContent) row.classList.add('arrived')
    }
  }

  #draw() {
    const hadFocus = body.contains(document.activeElement)
    this.#shown = JSON.stringify(this.#rows)
    this.#columns = [...new Set([...(this.#rows[0]?._id === undefined ? [] : ['_id']), ...this.#rows.flatMap(row => Object.keys(row))])]
    const titles = document.createElement('tr')
    for (const path of this.#columns) {
      const cell = document.createElement('th')
      cell.scope = 'col'
      cell.textContent = path
      titles.append(cell)
    }
    head.replaceChildren(titles)
    body.replaceChildren(...this.#rows.map(stored => this.#row(stored)))
    nothing.hidden = this.#rows.length > 0
    nothing.textContent = 'No document matches.'
    table.hidden = this.#rows.length === 0
    saved.textContent = ''
    this.#move(...this.#at, hadFocus)
    if (hadFocus && this.#rows.length === 0) document.getElementById('condition').focus()
  }

  #row(stored) {
    const row = document.createElement('tr')
    row.dataset.id = JSON.stringify(stored._id)
    for (const path of this.#columns) {
      const cell = row.insertCell()
      cell.tabIndex = -1
      cell.textContent = written(stored[path])
      cell.className = path === '_id' ? 'id' : typeof stored[path] === 'number' ? 'number' : ''
    }
    return row
  }

  #onKey(event) {
    if (event.target.matches('input')) return
    const [row, column] = this.#at
    const steps = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], Home: [row, 0], End: [row, Infinity], PageUp: [0, column], PageDown: [Infinity, column] }
    if (Object.hasOwn(steps, event.key)) this.#move(...steps[event.key])
    else if (event.key === 'Enter') this.#edit(row, column)
    else if (event.key === 'Delete' && this.#editable) this.#onRemove(this.#rows[row]._id)
    else return
    event.preventDefault()
  }

  get #editable() { return typeof this.#rows.saved === 'function' }

  /** Makes a cell the one that Tab reaches, and gives it the focus. */
  #move(row, column, focus = true) {
    body.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1')
    this.#at = [within(row, body.rows.length), within(column, this.#columns.length)]
    const cell = body.rows[this.#at[0]]?.cells[this.#at[1]]
    if (!cell) return
    cell.tabIndex = 0
    if (focus && !cell.contains(document.activeElement)) cell.focus()
  }

  #edit(row, column) {
    const [stored, path, cell] = [this.#rows[row], this.#columns[column], body.rows[row]?.cells[column]]
    if (!cell || !this.#editable || path === '_id' || cell.querySelector('input')) return
    const input = document.createElement('input')
    input.value = written(stored[path])
    input.setAttribute('aria-label', `${path} of ${stored.name ?? stored._id}`)
    cell.replaceChildren(input)
    input.select()
    const end = () => {
      if (!cell.contains(input)) return
      cell.textContent = written(stored[path])
      if (document.activeElement === document.body) cell.focus()
    }
    input.addEventListener('blur', end)
    input.addEventListener('keydown', async event => {
      if (event.key === 'Escape') end()
      if (event.key !== 'Enter') return
      event.preventDefault()
      const read = readAs(stored[path], input.value)
      input.setCustomValidity(read.problem ?? '')
      if (!input.reportValidity()) return
      const rows = this.#rows
      try {
        stored[path] = read.value // the result is tracked: this assignment is the update
        end()
        await this.#change(() => rows.saved())
        saved.textContent = `Stored: ${path} of ${stored._id} is ${JSON.stringify(read.value)}.`
      } catch (error) {
        saved.textContent = error.message
      }
    })
  }
}

const within = (index, length) => Math.max(0, Math.min(index, length - 1))

const placeOf = element => [element.closest('tr').sectionRowIndex, element.closest('td').cellIndex]

const written = value => value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** Reads the text of a cell as the type of its old value: a string stays a string, everything else is JSON. */
function readAs(old, text) {
  if (typeof old === 'string') return { value: text }
  try {
    const value = JSON.parse(text)
    if (typeof old === 'number' && typeof value !== 'number') return { problem: 'This field holds a number.' }
    return { value }
  } catch {
    return old === undefined ? { value: text } : { problem: 'This field holds no string: write JSON.' }
  }
}

function mark(text) {
  const element = document.createElement('strong')
  element.textContent = text
  return element
}
