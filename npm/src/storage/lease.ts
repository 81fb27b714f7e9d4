import type { StorageBackend } from '../types.js'
import type { HostStorage } from './appending-log.js'
import { ownPause } from './turns.js'

/** A storage for one engine, which may end without closing it: the next engine gets a lease of its own. */
export interface Lease {
  readonly storage: HostStorage
  /** Ends what the engine has left: its watching, and, after a time, the writes that are under way. */
  end(): Promise<void>
}

/** @param mayClose Whether the engine closes the storage when it closes. */
export function leaseOf(storage: HostStorage, mayClose: () => boolean): Lease {
  let writes = 0
  const stops = new Set<() => void>()
  const counted = <A extends unknown[], R>(write: (...args: A) => Promise<R>) => async (...args: A) => counting(write(...args))
  const counting = async <R>(written: Promise<R>) => {
    writes++
    try {
      return await written
    } finally {
      writes--
    }
  }
  return {
    storage: {
      ...storage,
      append: counted(async (...args: Parameters<StorageBackend['append']>) => storage.append(...args)),
      ...(storage.appendNow && {
        appendNow: (...args) => {
          const stored = storage.appendNow!(...args)
          return typeof stored === 'boolean' ? stored : counting(stored)
        },
      }),
      compact: counted(storage.compact),
      close: async () => {
        if (mayClose()) await storage.close()
      },
      ...(storage.watch && {
        watch: (listener: (seq: number) => void) => {
          const stop = storage.watch!(listener)
          stops.add(stop)
          return () => {
            stops.delete(stop)
            stop()
          }
        },
      }),
    },
    async end() {
      for (const stop of stops) stop()
      // The next engine then reads whether they are stored. A storage that stands still does not keep it waiting.
      for (let n = 0; writes > 0 && n < maxLooks; n++) await ownPause(n)
    },
  }
}

/** About five seconds. */
const maxLooks = 300
