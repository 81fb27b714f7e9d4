import { time, timed } from './format.js'
import { ask } from './spellings.js'

const list = document.getElementById('timings')
const button = document.getElementById('loop')
const note = document.getElementById('loop-note')

/**
 * The times of the query on screen as bars: the search itself, first and again, by each access path that it has had,
 * and the same loop in plain JavaScript.
 */
export class Timing {
  #cities
  #query
  #size
  #times = new Map() // what was timed → milliseconds
  #documents // every city as a plain object, for the loop; read when it is first asked for

  constructor(collection) {
    this.#cities = collection
    button.addEventListener('click', () => this.#loop())
  }

  /** Forgets the documents of the loop: they have changed. */
  forget() { this.#documents = undefined }

  /**
   * @param way The access path, such as "index(country)".
   * @param millis What the first search took.
   * @param size The number of cities; the times of another number are dropped.
   */
  async show(query, way, millis, size) {
    if (size !== this.#size || query.text !== this.#query?.text || query.spelling !== this.#query?.spelling) this.#times.clear()
    this.#query = query
    this.#size = size
    // The least of three: cities that are being loaded take turns with it. Each has a limit of its own, since the answer to
    // the same question is kept until the next write.
    let again = Infinity
    for (let more = 1; more <= 3; more++) {
      const options = { ...query.options, limit: query.options.limit + more }
      again = Math.min(again, (await timed(() => ask(this.#cities, query, options)))[1])
    }
    if (!this.#times.has(`${way}, first`)) this.#times.set(`${way}, first`, millis)
    this.#times.set(`${way}, again`, again)
    note.textContent = query.loop ? '' : 'The examples of conditions, and areas of the map, have a loop to compare with.'
    button.ariaDisabled = String(!query.loop)
    this.#draw()
  }

  /** Rows of SQL or groups: one bar. */
  showRows(millis) {
    this.#times = new Map([['this run', millis]])
    this.#query = undefined
    button.ariaDisabled = 'true'
    note.textContent = ''
    this.#draw()
  }

  async #loop() {
    const { loop, options } = this.#query ?? {}
    if (!loop) return
    note.textContent = 'Copying every document out…'
    this.#documents ??= [...await this.#cities.search()].map(city => ({ ...city }))
    const start = performance.now()
    const keys = (options.sort ?? []).map(path => [path.replace(/^-/, ''), path.startsWith('-') ? -1 : 1])
    const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0
    this.#documents.filter(loop)
      .sort((a, b) => keys.reduce((order, [path, sign]) => order || sign * compare(a[path], b[path]), 0))
      .slice(0, options.limit)
    this.#times.set('filter, sort and slice in JavaScript', performance.now() - start)
    note.textContent = 'The loop runs over objects that are in memory already, and keeps nothing.'
    this.#draw()
  }

  #draw() {
    const slowest = Math.max(...this.#times.values())
    list.replaceChildren(...[...this.#times].map(([name, millis]) => {
      const item = document.createElement('li')
      item.style.setProperty('--share', millis / slowest)
      for (const text of [name, time(millis)]) item.append(Object.assign(document.createElement('span'), { textContent: text }))
      return item
    }))
  }
}
