import type { HostStorage } from '../storage/appending-log.js'
import type { Batch, StorageBackend } from '../types.js'
import type { Handlers, RpcChannel } from './rpc.js'

/** What a storage has besides the methods that every storage has. */
export interface StorageKind {
  /** Whether it tells of batches that others append. */
  readonly watches: boolean
  readonly salvages: boolean
  /** Whether a crash can leave its last batch torn. */
  readonly tears: boolean
  readonly compactEvery: number | undefined
}

/** A storage in the other thread. */
export class RemoteStorage implements HostStorage {
  private readonly listeners = new Set<(seq: number) => void>()
  readonly watch?: NonNullable<StorageBackend['watch']>
  readonly salvage?: NonNullable<StorageBackend['salvage']>
  readonly cutTail?: NonNullable<HostStorage['cutTail']>
  readonly compactEvery: number | undefined

  constructor(
    private readonly channel: RpcChannel,
    { watches, salvages, tears, compactEvery }: StorageKind,
  ) {
    this.compactEvery = compactEvery
    if (tears) this.cutTail = (seq, torn) => this.channel.call('storageCutTail', { seq, torn })
    if (salvages) this.salvage = () => this.channel.call('storageSalvage')
    if (watches) {
      this.watch = (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      }
    }
  }

  /** Tells the listeners what the storage in the other thread told there. */
  notify(seq: number): void {
    for (const listener of this.listeners) listener(seq)
  }

  read(after: number): Promise<Batch[]> {
    return this.channel.call('storageRead', after)
  }

  append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    return this.channel.call('storageAppend', { seq, bytes, durability }, [bytes.buffer as ArrayBuffer])
  }

  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.channel.call('storageCompact', { seq, snapshot }, [snapshot.buffer as ArrayBuffer])
  }

  destroy(): Promise<void> {
    return this.channel.call('storageDestroy')
  }

  close(): Promise<void> {
    return this.channel.call('storageClose')
  }
}

/** The handlers of the thread that has the storage. */
export function storageHandlers(storage: HostStorage): Handlers {
  return {
    storageRead: (after: number) => storage.read(after),
    storageSalvage: () => storage.salvage!(),
    storageCutTail: ({ seq, torn }: { seq: number; torn: Uint8Array }) => storage.cutTail!(seq, torn),
    storageAppend: ({ seq, bytes, durability }: { seq: number; bytes: Uint8Array; durability: 'relaxed' | 'strict' }) => storage.append(seq, bytes, durability),
    storageCompact: ({ seq, snapshot }: { seq: number; snapshot: Uint8Array }) => storage.compact(seq, snapshot),
    storageDestroy: () => storage.destroy(),
    storageClose: () => storage.close(),
  }
}
