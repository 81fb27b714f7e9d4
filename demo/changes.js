import { cities, count, time, timed } from './format.js'
import { report } from './problem.js'

const insertForm = document.getElementById('insert-form')
const insertText = document.getElementById('insert-document')
const updateForm = document.getElementById('update-form')
const updateText = document.getElementById('update-fields')
const removeForm = document.getElementById('remove-form')
const target = document.getElementById('target')
const done = document.getElementById('change-done')
const problem = document.getElementById('change-problem')
const dialog = document.getElementById('confirm')

/**
 * Insert, update and remove. Update and remove change every match of the query
 * on screen, not only the rows shown.
 */
export class Changes {
  #cities
  #query
  #change

  /** @param change Runs the function it is given and then draws the page again. */
  constructor(collection, change) {
    this.#cities = collection
    this.#change = change
    this.#on(insertForm, async () => {
      const id = await this.#cities.insert(JSON.parse(insertText.value))
      return `Inserted as ${JSON.stringify(id)}`
    })
    this.#on(updateForm, async () => {
      const changed = await this.#cities.update(JSON.parse(updateText.value), this.#query.where)
      return `Updated ${cities(changed)}`
    })
    this.#on(removeForm, () => this.#removeMatches())
  }

  /** Sets the query whose matches update and remove change, and the number of its matches. */
  aim(query, matches) {
    this.#query = query
    target.textContent = query.text.replace(/\s+/g, ' ').trim() || 'everything'
    for (const element of document.querySelectorAll('.matches')) element.textContent = count(matches)
  }

  /** Removes one document. */
  removeOne(id) {
    return this.#report(async () => {
      await this.#cities.remove(this.#cities.query().field('_id').eq(id))
      return `Removed ${JSON.stringify(id)}`
    })
  }

  async #removeMatches() {
    const { where } = this.#query
    if (where !== undefined) return `Removed ${cities(await this.#cities.remove(where))}`
    await this.#cities.clear() // remove requires a condition, and an empty text is none
    return 'Removed everything'
  }

  #on(form, work) {
    form.addEventListener('submit', async event => {
      event.preventDefault()
      if (form === removeForm && !await confirmed(`Remove every match of ${target.textContent}, in every open tab?`, removeForm.querySelector('button').textContent)) return
      this.#report(work)
    })
  }

  /** Does the work and shows the sentence that `work` returns, or its error. */
  async #report(work) {
    report(problem, undefined)
    done.textContent = ''
    try {
      const [words, millis] = await this.#change(() => timed(work))
      done.textContent = `${words}; stored after ${time(millis)}.`
    } catch (error) {
      report(problem, error)
    }
  }
}

/** Asks before a change that cannot be undone. Resolves to whether the answer was yes; the button with the focus is no. */
export function confirmed(question, yes) {
  document.getElementById('confirm-text').textContent = question
  document.getElementById('confirm-yes').textContent = yes
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}
