/** Buttons that copy a text to the clipboard and say so. */
export function startCopying(id, text) {
  const button = document.getElementById(id)
  const words = button.textContent
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text())
      button.textContent = 'Copied'
    } catch {
      button.textContent = 'Copy it by hand' // the browser denies the clipboard
    }
    setTimeout(() => { button.textContent = words }, 2000)
  })
}
