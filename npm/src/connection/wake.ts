/**
 * Calls `catchUp` when a page comes back that was hidden, frozen or in the back/forward cache, where browsers let it miss
 * messages.
 *
 * @returns What ends it.
 */
export function onReturn(catchUp: () => void): () => void {
  if (typeof document === 'undefined' || typeof document.addEventListener !== 'function') return () => {}
  const listener = () => {
    if (document.visibilityState !== 'hidden') catchUp()
  }
  const places: [EventTarget, string][] = [[document, 'visibilitychange'], [document, 'resume'], [globalThis as unknown as EventTarget, 'pageshow']]
  const listening = places.filter(([target]) => typeof target.addEventListener === 'function')
  for (const [target, name] of listening) target.addEventListener(name, listener)
  return () => {
    for (const [target, name] of listening) target.removeEventListener(name, listener)
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

/** In milliseconds. A look into a log with nothing new is one read of the storage. */
const period = 5000
