import { AtomicDBError } from '../../errors.js'
import { hear, same, tell, type Place } from './place.js'

const databaseName = 'atomicdb files'
const storeName = 'files'

/** A value in an IndexedDB database of its own, with the path as key. */
export class IndexedDBItem implements Place {
  private opened: Promise<IDBDatabase> | undefined

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
    if (replaced) tell(this.path)
    return replaced
  }

  async remove(): Promise<void> {
    await this.transaction('readwrite', 'relaxed', async (store) => void store.delete(this.path))
    tell(this.path)
  }

  watch(listener: () => void): () => void {
    return hear(this.path, listener)
  }

  async close(): Promise<void> {
    const { opened } = this
    this.opened = undefined
    ;(await opened?.catch(() => undefined))?.close()
  }

  private async transaction<R>(mode: IDBTransactionMode, durability: 'relaxed' | 'strict', work: (store: IDBObjectStore) => Promise<R>): Promise<R> {
    try {
      const transaction = (await this.open()).transaction(storeName, mode, { durability })
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
      })
      const answer = work(transaction.objectStore(storeName))
      // A page whose thread stands still then keeps nobody from writing, unless it is in the middle of a replace.
      if (mode === 'readonly') transaction.commit?.()
      await Promise.all([answer, done])
      return await answer
    } catch (error) {
      void this.close() // a connection that was lost is made anew
      if (error instanceof AtomicDBError) throw error
      const { name, message } = error as DOMException
      throw new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `IndexedDB: ${message}`, { cause: error })
    }
  }

  private open(): Promise<IDBDatabase> {
    this.opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(databaseName, 1)
      request.onupgradeneeded = () => void request.result.createObjectStore(storeName)
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        request.result.onversionchange = () => void this.close()
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
