import { load, progressOf } from './cities.js'
import { count, time } from './format.js'

const panel = document.getElementById('loader')
const title = document.getElementById('loader-title')
const text = document.getElementById('loader-text')
const button = document.getElementById('load')
const barBox = document.getElementById('loader-bar')
const bar = document.getElementById('progress')
const label = document.getElementById('progress-text')

/** The button that fills an empty or half filled database, and the bar that shows the progress. */
export class Loader {
  #db
  isLoading = false
  millis = undefined // how long inserting took; set once this tab has done it

  /**
   * @param onPiece Called with each piece of documents once it is stored.
   * @param onLoaded Called when all are stored, by this tab or another.
   */
  constructor(db, { onPiece, onLoaded, onProblem }) {
    this.#db = db
    button.addEventListener('click', () => this.#load(onPiece, onLoaded).catch(error => {
      this.#showBar(false)
      onProblem(error)
    }))
  }

  /** Shows the button unless every city is stored. Returns whether every city is stored. */
  async offer() {
    const progress = await progressOf(this.#db)
    const complete = progress !== undefined && progress.loaded === progress.total
    panel.hidden = complete
    if (progress && !complete) {
      title.textContent = 'Not all of them yet'
      text.textContent = `${count(progress.loaded)} of ${count(progress.total)} cities are stored. It goes on from there.`
      button.textContent = 'Load the rest'
    }
    return complete
  }

  async #load(onPiece, onLoaded) {
    const start = performance.now()
    this.isLoading = true
    this.#showBar(true)
    try {
      this.millis = await load(this.#db, {
        onDownload: (bytes, total) => {
          label.textContent = `Reading the file: ${(bytes / 1e6).toFixed(1)} MB`
          if (total) bar.value = bytes / total
        },
        onPiece: (piece, loaded, total) => {
          onPiece(piece)
          bar.value = loaded / total
          label.textContent = `${count(loaded)} of ${count(total)} stored, ${time(performance.now() - start)}`
        },
      })
    } finally {
      this.isLoading = false
    }
    this.#showBar(false)
    if (this.millis === undefined) text.textContent = 'Another tab is loading them already; they arrive here by themselves.'
    else await onLoaded()
  }

  #showBar(shown) {
    panel.classList.toggle('loading', shown)
    barBox.hidden = !shown
    button.hidden = shown
  }
}
