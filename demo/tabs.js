/** What the page does with the database beside what other tabs do. */

let last = Promise.resolve()

/**
 * Runs `work` after everything given before, so that what is drawn is never
 * half of one answer and half of the next, and a change of this tab is on the
 * page before anything looks for changes of others.
 */
export function inTurn(work) {
  const turn = last.then(work)
  last = turn.catch(() => {}) // the caller is told; those behind it have their turn all the same
  return turn
}

/** Resolves when the page has been drawn, or after 100 ms: a tab that nobody sees is not drawn, and must go on. */
export function nextFrame() {
  return new Promise(resolve => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, 100)
  })
}

/**
 * Looks again and again, while the page can be seen.
 *
 * The database itself needs no asking: what another tab stores is in this
 * tab's engine within milliseconds. Only the page does not know that it
 * should draw, and a look costs less than a millisecond.
 *
 * @param look Runs the query on screen again and draws if it differs.
 */
export function keepLooking(look, onProblem) {
  const pause = 300 // milliseconds: soon enough to seem immediate
  let timer
  const again = async () => {
    const start = performance.now()
    try {
      await inTurn(look)
    } catch (error) {
      onProblem(error) // and no further look: a closed database stays closed
      return
    }
    // A query that takes long must not fill the page's only thread.
    timer = setTimeout(again, Math.max(pause, 10 * (performance.now() - start)))
  }
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer)
    if (!document.hidden) again()
  })
  again()
}

const channel = new BroadcastChannel('atomicdb-demo')
channel.onmessage = () => location.reload()

/** Has the other tabs begin anew too: what they hold is stored no longer. */
export function tellDestroyed() { channel.postMessage('destroyed') }
