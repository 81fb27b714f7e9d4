/**
 * Resolves when the page has been drawn, or after 100 ms: the browser does not
 * draw a hidden tab, and the page must go on there too.
 */
export function nextFrame() {
  return new Promise(resolve => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, 100)
  })
}
