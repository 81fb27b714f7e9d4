import { cities, time } from './format.js'

const head = document.querySelector('#answer thead')
const body = document.querySelector('#answer tbody')
const nothing = document.getElementById('nothing')
const summary = document.getElementById('summary')
const saved = document.getElementById('saved')
const previous = document.getElementById('previous')
const next = document.getElementById('next')

/** The result as a table. Editing a cell stores the edit. */
export class Answer {
  #onRemove
  #change
  #shown = '' // the rows on screen, as JSON

  /**
   * @param onPage Called with -1 for the previous page and 1 for the next.
   * @param change Runs the function it is given and then draws the page again.
   * @param onRemove Called with the id of the document to remove.
   */
  constructor({ onPage, change, onRemove }) {
    this.#change = change
    this.#onRemove = onRemove
    previous.addEventListener('click', () => onPage(-1))
    next.addEventListener('click', () => onPage(1))
  }

  /** Whether `rows` differ from those on screen. */
  differs(rows) { return JSON.stringify(rows) !== this.#shown }

  /** Whether the visitor is editing a cell, which drawing again would interrupt. */
  get isBusy() { return body.contains(document.activeElement) && document.activeElement.matches('input') }

  /**
   * Shows a tracked result.
   *
   * @param page {total, skip, millis}
   * @returns The rows that were on screen before, for flash.
   */
  show(rows, { total, skip, millis }) {
    const before = new Map([...body.rows].map(row => [row.dataset.id, row.textContent + values(row)]))
    this.#shown = JSON.stringify(rows)
    const columns = columnsOf(rows)
    head.replaceChildren(headRow(columns))
    body.replaceChildren(...rows.map(document => this.#row(document, columns, rows)))
    nothing.hidden = rows.length > 0
    nothing.textContent = 'No document matches.'
    head.parentElement.hidden = rows.length === 0
    saved.textContent = ''
    const range = rows.length < total && rows.length > 0 ? `, ${skip + 1}–${skip + rows.length} shown` : ''
    summary.replaceChildren(mark(cities(total)), `${range}, in `, mark(time(millis)))
    previous.disabled = skip === 0
    next.disabled = skip + rows.length >= total
    return before
  }

  /** Highlights the rows that differ from `before`, the value that show returned. */
  flash(before) {
    for (const row of body.rows) {
      if (before.get(row.dataset.id) !== row.textContent + values(row)) row.classList.add('arrived')
    }
  }

  #row(stored, columns, rows) {
    const row = document.createElement('tr')
    row.dataset.id = JSON.stringify(stored._id)
    for (const path of columns) {
      const cell = row.insertCell()
      if (path === '_id') {
        cell.textContent = stored._id
        cell.className = 'id'
      } else {
        cell.append(this.#input(stored, path, rows))
      }
    }
    const remove = document.createElement('button')
    remove.type = 'button'
    remove.className = 'remove'
    remove.textContent = '×'
    remove.title = 'Remove this document'
    remove.setAttribute('aria-label', `Remove ${stored.name ?? stored._id}`)
    remove.addEventListener('click', () => this.#onRemove(stored._id))
    row.insertCell().append(remove)
    return row
  }

  #input(stored, path, rows) {
    const input = document.createElement('input')
    const value = stored[path]
    input.value = written(value)
    input.className = typeof value === 'number' ? 'number' : ''
    input.setAttribute('aria-label', `${path} of ${stored.name ?? stored._id}`)
    input.addEventListener('keydown', event => {
      if (event.key === 'Enter') input.blur()
      if (event.key === 'Escape') input.value = written(stored[path])
    })
    input.addEventListener('change', async () => {
      const read = readAs(stored[path], input.value)
      input.setCustomValidity(read.problem ?? '')
      if (!input.reportValidity()) return
      try {
        await this.#change(() => {
          stored[path] = read.value // the result is tracked: this assignment is the update
          return rows.saved()
        })
        saved.textContent = `Stored: ${path} of ${stored._id} is ${JSON.stringify(read.value)}.`
      } catch (error) {
        input.setCustomValidity(error.message)
        input.reportValidity()
      }
    })
    return input
  }
}

/** `_id`, then every other field in the order in which it first appears. */
function columnsOf(rows) {
  const columns = new Set(['_id'])
  for (const document of rows) for (const path of Object.keys(document)) columns.add(path)
  return [...columns]
}

function headRow(columns) {
  const row = document.createElement('tr')
  for (const path of [...columns, '']) {
    const cell = document.createElement('th')
    cell.scope = 'col'
    cell.textContent = path
    row.append(cell)
  }
  return row
}

const values = row => [...row.querySelectorAll('input')].map(input => input.value).join('\n')

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
