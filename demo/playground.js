import { area, examples } from './examples.js'
import { report } from './problem.js'
import { onlyReads, spellings } from './spellings.js'

const form = document.getElementById('ask-form')
const condition = document.getElementById('condition')
const sort = document.getElementById('sort')
const limit = document.getElementById('limit')
const note = document.getElementById('spelling-note')
const problem = document.getElementById('problem')
const code = document.getElementById('code')
const chips = document.getElementById('examples')

/**
 * The form in which a query is written. Its content is kept in the address of
 * the page, so that a reload, a second tab or whoever gets the link asks the
 * same query. All of it is data: no part of a link is run as a script, and SQL
 * that writes waits for a click.
 */
export class Playground {
  #cities
  #onQuery
  #drafts = {} // the text of each spelling's editor
  #typing = 0 // counts what the editor was given; typing stops when the visitor takes over

  /** @param onQuery Called with {spelling, text, where, options, loop} for each query whose text could be read. */
  constructor(collection, onQuery) {
    this.#cities = collection
    this.#onQuery = onQuery
    for (const spelling of Object.keys(spellings)) this.#drafts[spelling] = examples.find(example => example[spelling])[spelling]
    sort.value = examples[0].sort
    this.#recall()
    form.addEventListener('submit', event => {
      event.preventDefault()
      this.run()
      // On a phone the answer is below the form.
      if (matchMedia('(max-width: 900px)').matches) document.getElementById('answer').scrollIntoView({ block: 'start' })
    })
    condition.addEventListener('keydown', event => {
      this.#typing++
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      form.requestSubmit()
    })
    condition.addEventListener('input', () => this.#keepDraft())
    form.addEventListener('pointerdown', () => { this.#typing++ })
    form.addEventListener('change', event => {
      if (event.target.name !== 'spelling') return
      this.#showSpelling()
      this.run({ readOnly: true })
    })
  }

  /** Runs what the address asks; without an address, types the first example and runs it. */
  async start() {
    if (location.hash.length > 1) return this.run({ readOnly: true, orExample: true })
    this.run()
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
    const own = ++this.#typing
    const text = examples[1].text
    for (let length = 1; length <= text.length; length++) {
      await new Promise(resolve => setTimeout(resolve, 70))
      if (own !== this.#typing) return
      condition.value = text.slice(0, length)
    }
    this.#take(examples[1])
  }

  /**
   * Reads the form and passes the query on, or shows why it cannot be read.
   *
   * @param readOnly Whether SQL that writes waits for the button.
   * @param orExample Whether the first example takes the place of what cannot be read or run.
   */
  async run({ readOnly = false, orExample = false } = {}) {
    this.#typing++
    const spelling = this.#spelling
    const text = condition.value
    const options = { sort: paths(sort.value), skip: 0, limit: Number(limit.value) }
    this.#remember()
    this.showProblem(undefined)
    try {
      const query = { spelling, text, options, where: spellings[spelling].read(text, this.#cities.query()), loop: this.#loop }
      code.textContent = spellings[spelling].code(text, options)
      if (readOnly && !onlyReads(query)) throw new Error('This SQL may write. Press Run to run it.')
      const failed = await this.#onQuery(query)
      if (failed && orExample) throw failed
    } catch (error) {
      if (orExample) {
        const [{ text }] = examples
        await this.#onQuery({ spelling: 'text', text, where: text, options: { sort: paths(examples[0].sort), skip: 0, limit: 20 } })
      }
      this.showProblem(error)
    }
  }

  /** Asks for the cities inside a rectangle, in the spelling that is chosen. */
  askArea(corners) {
    if (spellings[this.#spelling].rows) form.elements.spelling.value = 'text'
    this.#take(area(corners))
  }

  /** Writes SQL into the editor and runs it. */
  askSql(text) {
    form.elements.spelling.value = 'sql'
    this.#take({ sql: text })
  }

  /** Shows an error; undefined hides the last one. */
  showProblem(error) {
    report(problem, error)
    condition.setAttribute('aria-invalid', String(Boolean(error)))
  }

  get #spelling() { return form.elements.spelling.value }

  /** The condition as a function, where the query is an example or an area; else undefined. */
  get #loop() { return [this.#taken, ...examples].find(query => query?.[this.#spelling] === condition.value)?.loop }

  #taken // the last example or area

  #take(query) {
    this.#taken = query
    for (const spelling of Object.keys(spellings)) if (query[spelling]) this.#drafts[spelling] = query[spelling]
    sort.value = query.sort ?? ''
    this.#showSpelling()
    this.run()
  }

  #showSpelling() {
    const { rows, note: words } = spellings[this.#spelling]
    condition.value = this.#drafts[this.#spelling]
    note.textContent = words
    for (const input of [sort, limit]) input.disabled = Boolean(rows)
    this.#listExamples()
  }

  #listExamples() {
    const spelling = this.#spelling
    chips.replaceChildren(...examples.filter(example => example[spelling]).map(example => {
      const chip = document.createElement('button')
      chip.type = 'button'
      chip.textContent = example.name
      chip.setAttribute('aria-pressed', String(example[spelling] === condition.value))
      chip.addEventListener('click', () => {
        this.#take(example)
        ;[...chips.children].find(other => other.textContent === example.name)?.focus() // the chips were drawn again
      })
      return chip
    }))
  }

  #keepDraft() {
    this.#drafts[this.#spelling] = condition.value
    for (const chip of chips.children) chip.setAttribute('aria-pressed', 'false')
  }

  #remember() {
    const state = new URLSearchParams({ spelling: this.#spelling, [this.#spelling]: condition.value, sort: sort.value, limit: limit.value })
    history.replaceState(null, '', `#${state}`)
  }

  #recall() {
    const state = new URLSearchParams(location.hash.slice(1))
    for (const spelling of Object.keys(spellings)) this.#drafts[spelling] = state.get(spelling) ?? this.#drafts[spelling]
    if (Object.hasOwn(spellings, state.get('spelling'))) form.elements.spelling.value = state.get('spelling')
    sort.value = state.get('sort') ?? sort.value
    limit.value = state.get('limit') ?? limit.defaultValue
    if (!limit.checkValidity()) limit.value = limit.defaultValue
    this.#showSpelling()
  }
}

/** 'country, -name' → ['country', '-name']; undefined if there is none. */
function paths(text) {
  const all = text.split(',').map(path => path.trim()).filter(Boolean)
  return all.length ? all : undefined
}
