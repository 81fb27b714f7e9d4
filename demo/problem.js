/**
 * Shows an error: its code, then its message. Errors of JavaScript have no
 * code, and the code of a DOM error is a number that says little; the name
 * takes its place. The lines after the first are an excerpt with a caret under
 * it, so they keep their spaces.
 *
 * @param element Where the error is shown; an alert, which screen readers read out.
 * @param error undefined hides the last error.
 */
export function report(element, error) {
  element.hidden = !error
  element.replaceChildren()
  if (!error) return
  const [message, ...excerpt] = error.message.split('\n')
  const code = document.createElement('strong')
  code.textContent = typeof error.code === 'string' ? error.code : error.name
  const words = document.createElement('p')
  words.append(code, ` ${message}`)
  element.append(words)
  if (excerpt.length === 0) return
  const lines = document.createElement('pre')
  lines.textContent = excerpt.join('\n')
  element.append(lines)
}
