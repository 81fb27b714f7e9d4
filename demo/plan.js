import { count, time, timed } from './format.js'

const planText = document.getElementById('plan-text')
const looked = document.getElementById('looked')
const runs = document.querySelector('#runs tbody')
const list = document.getElementById('indexes')

/** The fields that the page offers to index, each with a condition that its index alone would answer. */
const indexable = { country: q => q.country.eq(''), name: q => q.name.eq(''), lat: q => q.lat.eq(1000) }

const runsKept = 6

/** How the last queries ran, and the switches that create and drop indexes. */
export class PlanPanel {
  #cities
  #change
  #switches = new Map()

  /**
   * @param change Runs the function it is given and then draws the page again.
   * @param onProblem Called with the error if creating or dropping fails.
   */
  constructor(collection, { change, onProblem }) {
    this.#cities = collection
    this.#change = change
    for (const path of Object.keys(indexable)) this.#addSwitch(path, onProblem)
  }

  /** Explains a query and shows how it ran. */
  async show({ text, where, options }) {
    const plan = await this.#bestOf(5, where, options)
    planText.textContent = plan.text
    looked.textContent = `${count(plan.examined)} documents looked at, ${count(plan.returned)} returned`
    this.#addRun({ condition: text.replace(/\s+/g, ' ').trim() || 'everything', way: plan.text.split(':')[0], micros: plan.micros })
  }

  /**
   * Explains a query a few times and returns the fastest run: the first run
   * builds columns that the later ones use, and any one may meet the garbage
   * collector.
   */
  async #bestOf(times, where, options) {
    const start = performance.now()
    let best = await this.#cities.explain(where, options)
    for (let i = 1; i < times && performance.now() - start < 50; i++) {
      const plan = await this.#cities.explain(where, options)
      if (plan.micros < best.micros) best = plan
    }
    return best
  }

  /** Puts a run on top of the list. It replaces the last run if that was the same query with the same access path. */
  #addRun({ condition, way, micros }) {
    const top = runs.rows[0]
    if (top?.cells[0].textContent === condition && top.cells[1].textContent === way) top.remove()
    const row = runs.insertRow(0)
    for (const words of [condition, way, time(micros / 1000)]) {
      const cell = row.insertCell()
      cell.textContent = cell.title = words
    }
    row.dataset.micros = micros
    while (runs.rows.length > runsKept) runs.deleteRow(-1)
    const slowest = Math.max(...[...runs.rows].map(row => Number(row.dataset.micros)))
    for (const row of runs.rows) row.cells[2].style.setProperty('--share', Number(row.dataset.micros) / slowest)
  }

  /** Finds out which indexes exist: another tab or an earlier visit may have created them. */
  async refresh() {
    for (const [path, { button, note }] of this.#switches) {
      const on = (await this.#probe(path)).index !== null
      button.classList.toggle('on', on)
      button.textContent = on ? 'Drop' : 'Create'
      button.setAttribute('aria-label', `${button.textContent} index on ${path}`)
      button.disabled = false
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
    button.disabled = true
    button.textContent = 'Create'
    button.addEventListener('click', async () => {
      const on = button.classList.contains('on')
      button.disabled = true
      try {
        const millis = await this.#change(() => on ? this.#cities.dropIndex(path) : this.#create(path))
        note.textContent = on ? '' : `ready in ${time(millis)}`
      } catch (error) {
        onProblem(error)
        button.disabled = false
      }
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
