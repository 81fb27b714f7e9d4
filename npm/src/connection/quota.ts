import { AtomicDBError } from '../errors.js'

/**
 * Adds to a `quota` error how many bytes the site has stored and may store, if
 * the browser tells; returns any other error as it is. The browser's numbers
 * may be wrong: Chromium 156 says 10 GiB to a site that may store 1 MB. For
 * localStorage, which has a limit of its own, no browser tells them.
 */
export async function withUsage(error: unknown): Promise<unknown> {
  if (!(error instanceof AtomicDBError) || error.code !== 'quota' || /localStorage/.test(error.message)) return error
  const { used, quota } = await hostUsage()
  if (used === undefined || quota === undefined) return error
  const message = `${error.message} (this site has stored ${inWords(used)}; the browser says that it may store ${inWords(quota)})`
  return Object.assign(new AtomicDBError('quota', message, { cause: error.cause }), { usage: used, quota })
}

/** How many bytes the site has stored and may store; nothing where the browser does not tell. */
export async function hostUsage(): Promise<{ used?: number; quota?: number }> {
  const { usage, quota } = (await storageManager()?.estimate?.().catch(() => undefined)) ?? {}
  return { ...(usage !== undefined && { used: usage }), ...(quota !== undefined && { quota }) }
}

/**
 * Asks the browser not to delete what the site stores when the disk gets full. It does not wait, because the browser
 * may ask the user.
 */
export function askToPersist(): void {
  storageManager()?.persist?.().catch(() => {})
}

function storageManager(): Partial<StorageManager> | undefined {
  return (globalThis as { navigator?: { storage?: Partial<StorageManager> } }).navigator?.storage
}

function inWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`
}
