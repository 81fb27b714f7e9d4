/**
 * Shows an error in its own words, its code first (JavaScript's own errors
 * have a name instead, and DOM's a number that says little). Lines after the first are an excerpt with a caret
 * under it, so they stay as they are, letter under letter.
 *
 * @param element Where; an alert, so that screen readers say it.
 * @param error undefined takes the last one away.
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
