import { count, time, timed } from './format.js'

const planText = document.getElementById('plan-text')
const examined = document.getElementById('examined')
const size = document.getElementById('collection-size')
const meter = document.getElementById('examined-meter')
const runs = document.querySelector('#runs tbody')
const list = document.getElementById('indexes')

/** Fields the page offers to index, each with a condition that only its index would answer. */
const indexable = { country: q => q.country.eq(''), name: q => q.name.eq(''), lat: q => q.lat.eq(1000) }

const runsKept = 6

/** How the last queries ran, and the switches that make them run otherwise. */
export class PlanPanel {
  #db
  #change
  #switches = new Map()

  /** @param change Runs the change it is given and then draws the page again. @param onProblem Called with what went wrong. */
  constructor(db, { change, onProblem }) {
    this.#db = db
    this.#change = change
    for (const path of Object.keys(indexable)) this.#addSwitch(path, onProblem)
  }

  /** @param plan What explain answered. @param query The query asked. @param documents How many the collection holds. */
  show(plan, { text }, documents) {
    planText.textContent = plan.text
    examined.textContent = count(plan.examined)
    size.textContent = count(documents)
    meter.value = documents ? plan.examined / documents : 0
    this.#addRun([text.replace(/\s+/g, ' ').trim() || 'everything', plan.index?.join(', ') ?? '–', count(plan.examined), time(plan.micros / 1000)])
  }

  /** A run that differs from the last in its time alone takes its place: what changed is to be seen. */
  #addRun(cells) {
    const words = row => [...row.cells].slice(0, -1).map(cell => cell.textContent).join()
    const row = runs.insertRow(0)
    for (const cell of cells) row.insertCell().textContent = cell
    row.cells[0].title = cells[0]
    if (runs.rows.length > 1 && words(row) === words(runs.rows[1])) runs.deleteRow(1)
    while (runs.rows.length > runsKept) runs.deleteRow(-1)
  }

  /** Looks which indexes there are: another tab, or an earlier visit, may have made them. */
  async refresh() {
    for (const [path, { button, note }] of this.#switches) {
      const plan = await this.#db.explain(indexable[path](this.#db.query()), { collection: 'cities' })
      const on = plan.index !== null
      button.classList.toggle('on', on)
      button.textContent = on ? 'Drop' : 'Create'
      button.setAttribute('aria-label', `${button.textContent} index on ${path}`)
      button.disabled = false
      if (!on) note.textContent = ''
    }
  }

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
        const options = { collection: 'cities' }
        const [, millis] = await this.#change(() => timed(() => on ? this.#db.dropIndex(path, options) : this.#db.createIndex(path, options)))
        note.textContent = on ? '' : `built and stored in ${time(millis)}`
      } catch (error) {
        onProblem(error)
        button.disabled = false
      }
    })
    item.append(name, note, button)
    list.append(item)
    this.#switches.set(path, { button, note })
  }
}
