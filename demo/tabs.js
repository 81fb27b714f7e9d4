import { withLock } from './lock.js'

/**
 * Calls `look` again and again while the tab is visible.
 *
 * The database needs no such loop: a batch that another tab stores is in this
 * tab's engine within milliseconds. The page needs it, since nothing tells it
 * that it should draw. A look costs less than a millisecond.
 *
 * @param look Runs the query on screen again, and draws the answer if it differs.
 * @param onProblem Called with the error that ended the loop.
 */
export function keepLooking(look, onProblem) {
  const pause = 300 // milliseconds: short enough to seem immediate
  let timer
  const again = async () => {
    const start = performance.now()
    try {
      await withLock(look)
    } catch (error) {
      onProblem(error) // the loop ends here: a closed database stays closed
      return
    }
    // A slow query must not fill the page's only thread.
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

/** Makes the other tabs load again: the database that they have open is gone. */
export function tellDestroyed() { channel.postMessage('destroyed') }
