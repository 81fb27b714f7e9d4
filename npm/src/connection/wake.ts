/**
 * Calls `catchUp` when a page comes back that was hidden, frozen or in the back/forward cache, where browsers let it miss
 * messages. Calls `pause` before it is frozen, as it is in that cache too: what another thread tells it then would
 * come one by one when it goes on.
 *
 * @returns What ends it.
 */
export function onReturn(catchUp: () => void, pause: () => void = () => {}): () => void {
  if (typeof document === 'undefined' || typeof document.addEventListener !== 'function') return () => {}
  const shown = () => {
    if (document.visibilityState !== 'hidden') catchUp()
  }
  const page = globalThis as unknown as EventTarget
  const places: [EventTarget, string, () => void][] = [[document, 'visibilitychange', shown], [document, 'resume', catchUp], [page, 'pageshow', catchUp], [document, 'freeze', pause]]
  const listening = places.filter(([target]) => typeof target.addEventListener === 'function')
  for (const [target, name, listener] of listening) target.addEventListener(name, listener)
  return () => {
    for (const [target, name, listener] of listening) target.removeEventListener(name, listener)
  }
}

/**
 * Calls `catchUp` every few seconds, unless the page is hidden: a tab may crash when it has stored something and told
 * nobody, and some storages tell nobody at all. In Node, this does not keep the process alive.
 *
 * @returns What ends it.
 */
export function nowAndThen(catchUp: () => void): () => void {
  const timer: unknown = setInterval(() => {
    if (typeof document === 'undefined' || document.visibilityState !== 'hidden') catchUp()
  }, period)
  ;(timer as { unref?(): void }).unref?.()
  return () => clearInterval(timer as number)
}

/** Calls `work` when a page has nothing to do. Elsewhere, and in browsers that do not tell, it does not. */
export function whenIdle(work: () => void): void {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(work)
}

/** In milliseconds. A look into a log with nothing new is one read of the storage. */
const period = 5000
