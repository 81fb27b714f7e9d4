import type { StorageBackend } from '../types.js'
import type { Traits } from './traits.js'

/** A storage that the engine of this thread calls. */
export interface HostStorage extends StorageBackend {
  /** As append, which may be called at any time, for a call when the engine is off the stack: it can answer at once. */
  readonly appendNow?: StorageBackend['append']
  /**
   * Whether it answers at once, and no other database uses it here. With another one, a write resolves when that has had
   * time to hear of it, which is what people expect who wait for the one and then ask the other.
   */
  readonly answersAtOnce?: () => boolean
  /** That of its traits. */
  readonly cutTail?: NonNullable<Traits['cutTail']>
}

/**
 * What stands between an engine and the storage of its log, so that batches can be appended past the engine, at once; see
 * Session.BeginFlush. If the storage does not store one, the engine appends it again, and is given that same answer: it
 * knows what to do then.
 */
export class AppendingLog {
  /** What the engine is given in the place of the storage. */
  readonly backend: StorageBackend
  private answer: Promise<boolean> | undefined // to the append that the engine makes again
  private last = 0 // the newest batch that was appended past the engine

  constructor(
    private readonly storage: HostStorage,
    private readonly durability: 'relaxed' | 'strict',
  ) {
    const own: Partial<StorageBackend> = {
      append: (...args) => {
        const { answer } = this
        this.answer = undefined
        return answer ?? storage.append(...args)
      },
      // Some storages tell of all batches, and the engine takes longer to hear of its own than to make it.
      watch: storage.watch && ((listener) => storage.watch!((seq) => (seq === 0 || seq > this.last ? listener(seq) : undefined))),
    }
    // A method is called as one of the storage, which has fields of its own.
    this.backend = new Proxy(storage, {
      get: (storage, name) => {
        if (name in own) return own[name as 'append']
        const value: unknown = Reflect.get(storage, name)
        return typeof value === 'function' ? value.bind(storage) : value
      },
    })
  }

  /** Whether to append past the engine. A storage that answers later takes the same time either way. */
  get isQuick(): boolean {
    return this.storage.answersAtOnce?.() === true
  }

  /** Appends a batch, if this {@link isQuick}. Throws what the storage throws at once. */
  append(seq: number, frame: Uint8Array): boolean | Promise<boolean> {
    return this.storage.appendNow!(seq, frame, this.durability)
  }

  /** Notes that batch `seq` is stored. */
  noteStored(seq: number): void {
    this.last = seq
  }

  /** Has the engine hear this answer when it appends the batch again. */
  repeat(answer: Promise<boolean>): void {
    answer.catch(() => {}) // the engine may have ended
    this.answer = answer
  }
}
