import { AtomicDBError } from '../errors.js'

/**
 * A `quota` error with how many bytes the site has stored and may store, where
 * the browser tells; any other error as it is. What it tells need not be true:
 * Chromium 156 says 10 GiB to a site that may store 1 MB. localStorage has
 * a limit of its own, which no browser tells.
 */
export async function withUsage(error: unknown): Promise<unknown> {
  if (!(error instanceof AtomicDBError) || error.code !== 'quota' || /localStorage/.test(error.message)) return error
  const { usage, quota } = (await storageOfHost()?.estimate?.().catch(() => undefined)) ?? {}
  if (usage === undefined || quota === undefined) return error
  const told = new AtomicDBError('quota', `${error.message} (this site has stored ${inWords(usage)}; the browser says that it may store ${inWords(quota)})`, { cause: error.cause })
  return Object.assign(told, { usage, quota })
}

/** Asks the browser not to delete what the site stores when the disk gets full. It may ask the user, so nobody waits. */
export function askToPersist(): void {
  storageOfHost()?.persist?.().catch(() => {})
}

function storageOfHost(): Partial<StorageManager> | undefined {
  return (globalThis as { navigator?: { storage?: Partial<StorageManager> } }).navigator?.storage
}

function inWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`
}
