import { area, examples } from './examples.js'
import { report } from './problem.js'
import { spellings } from './spellings.js'

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
 * same query. All of it is data: no part of a link is run.
 */
export class Playground {
  #cities
  #onQuery
  #drafts = { ...examples[0] } // the text of each spelling's editor

  /** @param onQuery Called with {spelling, text, where, options} for each query whose text could be read. */
  constructor(collection, onQuery) {
    this.#cities = collection
    this.#onQuery = onQuery
    this.#recall()
    this.#listExamples()
    form.addEventListener('submit', event => {
      event.preventDefault()
      this.run()
    })
    condition.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      form.requestSubmit()
    })
    condition.addEventListener('input', () => this.#keepDraft())
    form.addEventListener('change', event => {
      if (event.target.name !== 'spelling') return
      this.#showSpelling()
      this.run()
    })
  }

  /** Reads the form and passes the query on, or shows why it cannot be read. */
  run() {
    const spelling = this.#spelling
    const text = condition.value
    const paths = sort.value.split(',').map(path => path.trim()).filter(Boolean)
    const options = { sort: paths.length ? paths : undefined, skip: 0, limit: Number(limit.value) }
    this.#remember()
    try {
      const where = spellings[spelling].read(text, this.#cities.query())
      code.textContent = spellings[spelling].code(text, options)
      this.#onQuery({ spelling, text, where, options })
    } catch (error) {
      this.showProblem(error)
    }
  }

  /** Asks for the cities inside a rectangle, in the spelling that is chosen. */
  askArea(corners) {
    this.#take(area(corners))
  }

  /** Shows an error; undefined hides the last one. */
  showProblem(error) {
    report(problem, error)
    condition.setAttribute('aria-invalid', String(Boolean(error)))
  }

  get #spelling() { return form.elements.spelling.value }

  #listExamples() {
    for (const example of examples) {
      const chip = document.createElement('button')
      chip.type = 'button'
      chip.textContent = example.name
      chip.addEventListener('click', () => this.#take(example))
      chips.append(chip)
    }
    this.#markExample()
  }

  #take(query) {
    const { text, filter, builder } = query
    this.#drafts = { text, filter, builder }
    sort.value = query.sort
    this.#showSpelling()
    this.run()
  }

  #showSpelling() {
    condition.value = this.#drafts[this.#spelling]
    condition.rows = Math.max(3, condition.value.split('\n').length)
    note.textContent = spellings[this.#spelling].note
    this.#markExample()
  }

  #keepDraft() {
    this.#drafts[this.#spelling] = condition.value
    this.#markExample()
  }

  /** Marks the example whose text is exactly the editor's. */
  #markExample() {
    const spelling = this.#spelling
    for (const [i, chip] of [...chips.children].entries()) {
      chip.setAttribute('aria-pressed', String(examples[i][spelling] === condition.value))
    }
  }

  #remember() {
    const { text, filter, builder } = this.#drafts
    const state = new URLSearchParams({ spelling: this.#spelling, text, filter, builder, sort: sort.value, limit: limit.value })
    history.replaceState(null, '', `#${state}`)
  }

  #recall() {
    const state = new URLSearchParams(location.hash.slice(1))
    for (const spelling of Object.keys(spellings)) this.#drafts[spelling] = state.get(spelling) ?? examples[0][spelling]
    if (Object.hasOwn(spellings, state.get('spelling'))) form.elements.spelling.value = state.get('spelling')
    sort.value = state.get('sort') ?? examples[0].sort
    limit.value = state.get('limit') ?? limit.defaultValue
    if (!limit.checkValidity()) limit.value = limit.defaultValue
    this.#showSpelling()
  }
}
