import { AtomicDBError } from '../../errors.js'
import { onReplaced, same, notifyReplaced, type StoredFile } from './stored-file.js'

const databaseName = 'atomicdb files'
const storeName = 'files'

/** A file as a value in an IndexedDB database of its own; the key is the path. */
export class IndexedDBFile implements StoredFile {
  private opened: Promise<IDBDatabase> | undefined
  /**
   * Rejects the newest transaction. Chromium fires no event when it closes the connection of one, which would wait for
   * ever.
   */
  private interrupt: (() => void) | undefined

  constructor(private readonly path: string) {}

  read(): Promise<Uint8Array | undefined> {
    return this.transaction('readonly', 'relaxed', async (store) => result<Uint8Array | undefined>(store.get(this.path)))
  }

  async replace(seen: Uint8Array | undefined, next: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    const replaced = await this.transaction('readwrite', durability, async (store) => {
      if (!same(await result<Uint8Array | undefined>(store.get(this.path)), seen)) return false
      store.put(next, this.path)
      return true
    })
    if (replaced) notifyReplaced(this.path)
    return replaced
  }

  async remove(): Promise<void> {
    await this.transaction('readwrite', 'relaxed', async (store) => void store.delete(this.path))
    notifyReplaced(this.path)
  }

  watch(listener: () => void): () => void {
    return onReplaced(this.path, listener)
  }

  async close(): Promise<void> {
    const { opened } = this
    this.opened = undefined
    ;(await opened?.catch(() => undefined))?.close()
  }

  private async transaction<R>(mode: IDBTransactionMode, durability: 'relaxed' | 'strict', work: (store: IDBObjectStore) => Promise<R>): Promise<R> {
    try {
      const transaction = await this.begin(mode, durability)
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
        this.interrupt = () => reject(new Error('the browser has closed the connection'))
      })
      const result = work(transaction.objectStore(storeName))
      // So a page whose thread stands still in the middle of a read keeps nobody from writing.
      if (mode === 'readonly') transaction.commit?.()
      await Promise.all([result, done])
      return await result
    } catch (error) {
      void this.close() // so that the next call opens another connection
      if (error instanceof AtomicDBError) throw error
      const { name, message } = error as DOMException
      throw new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `IndexedDB: ${message || name}`, { cause: error })
    }
  }

  /** Begins a transaction. If the connection is lost, it tries new ones, three times within half a second. */
  private async begin(mode: IDBTransactionMode, durability: 'relaxed' | 'strict'): Promise<IDBTransaction> {
    for (let wait = 50; ; wait *= 2) {
      try {
        return (await this.open()).transaction(storeName, mode, { durability })
      } catch (error) {
        const { name } = error as DOMException
        if (wait > 200 || (name !== 'InvalidStateError' && name !== 'UnknownError')) throw error
        await this.close()
        await new Promise((resolve) => setTimeout(resolve, wait))
      }
    }
  }

  private open(): Promise<IDBDatabase> {
    this.opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(databaseName, 1)
      request.onupgradeneeded = () => void request.result.createObjectStore(storeName)
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        request.result.onversionchange = () => void this.close()
        request.result.onclose = () => {
          this.interrupt?.()
          void this.close()
        }
        resolve(request.result)
      }
    })
    return this.opened
  }
}

function result<R>(request: IDBRequest<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
