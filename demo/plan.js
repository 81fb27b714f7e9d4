import { count, time, timed } from './format.js'
import { Timing } from './timing.js'

const planText = document.getElementById('plan-text')
const looked = document.getElementById('looked')
const list = document.getElementById('indexes')

/** The fields that the page offers to index, each with a condition that its index alone would answer. */
const indexable = { country: q => q.country.eq(''), name: q => q.name.eq(''), lat: q => q.lat.eq(1000) }

/** How the query ran, and the switches that create and drop indexes. */
export class PlanPanel {
  #cities
  #change
  timing
  #switches = new Map()

  /**
   * @param change Runs the function it is given and then draws the page again.
   * @param onProblem Called with the error if creating or dropping fails.
   */
  constructor(collection, { change, onProblem }) {
    this.#cities = collection
    this.#change = change
    this.timing = new Timing(collection)
    for (const path of Object.keys(indexable)) this.#addSwitch(path, onProblem)
  }

  /** Explains a query that has run, and shows its times; `millis` is what its search took, over `size` cities. */
  async show(query, millis, size) {
    const plan = await this.#cities.explain(query.where, query.options)
    planText.textContent = plan.text
    looked.textContent = `${count(plan.examined)} documents looked at, ${count(plan.returned)} returned`
    await this.timing.show(query, plan.text.split(':')[0], millis, size)
  }

  /** What SQL says of itself, or nothing for groups. */
  async showRows(db, { spelling, where }, millis) {
    planText.textContent = spelling === 'sql' && /^\s*select/i.test(where) ? (await db.sql(`EXPLAIN ${where}`)).map(row => Object.values(row).join(' ')).join('\n') : '–'
    looked.textContent = ''
    this.timing.showRows(millis)
  }

  /** Finds out which indexes exist: another tab or an earlier visit may have created them. */
  async refresh() {
    for (const [path, { button, note }] of this.#switches) {
      const on = (await this.#probe(path)).index !== null
      button.classList.toggle('on', on)
      button.textContent = on ? 'Drop' : 'Create'
      button.setAttribute('aria-label', `${button.textContent} index on ${path}`)
      if (!on) note.textContent = ''
    }
  }

  #probe(path) { return this.#cities.explain(indexable[path](this.#cities.query())) }

  #addSwitch(path, onProblem) {
    const item = document.createElement('li')
    const name = document.createElement('code')
    name.textContent = path
    const note = document.createElement('span')
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = 'Create'
    button.addEventListener('click', async () => {
      const on = button.classList.contains('on')
      if (button.ariaBusy === 'true') return // not disabled, which would lose the focus
      button.ariaBusy = 'true'
      try {
        const millis = await this.#change(() => on ? this.#cities.dropIndex(path) : this.#create(path))
        note.textContent = on ? '' : `ready in ${time(millis)}`
      } catch (error) {
        onProblem(error)
      }
      button.ariaBusy = 'false'
    })
    item.append(name, note, button)
    list.append(item)
    this.#switches.set(path, { button, note })
  }

  /** Creates an index. Resolves to the milliseconds until it has answered its first query, which builds it. */
  async #create(path) {
    const [, millis] = await timed(async () => {
      await this.#cities.createIndex(path)
      await this.#probe(path)
    })
    return millis
  }
}
