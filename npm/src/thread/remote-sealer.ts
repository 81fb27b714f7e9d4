import type { Sealer } from '../engine/async-engine.js'
import { Transferred, type Handlers, type RpcChannel } from './rpc.js'

/** A sealer in the other thread: its keys stay there. The bytes that it is given are transferred. */
export class RemoteSealer implements Sealer {
  constructor(private readonly channel: RpcChannel) {}

  seal(batch: Uint8Array): Promise<Uint8Array> {
    return this.channel.call('sealBatch', batch, buffersOf([batch]))
  }

  open(sealed: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return this.channel.call('openBatches', sealed, buffersOf(sealed))
  }

  salvage(sealed: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return this.channel.call('salvageBatches', sealed, buffersOf(sealed))
  }
}

/** The handlers of the thread that has the sealer. */
export function sealerHandlers(sealer: Sealer): Handlers {
  const transferred = (batches: Uint8Array[]) => new Transferred(batches, buffersOf(batches))
  return {
    sealBatch: async (batch: Uint8Array) => {
      const sealed = await sealer.seal(batch)
      return new Transferred(sealed, buffersOf([sealed]))
    },
    openBatches: async (sealed: Uint8Array[]) => transferred(await sealer.open(sealed)),
    salvageBatches: async (sealed: Uint8Array[]) => transferred(await sealer.salvage(sealed)),
  }
}

const buffersOf = (batches: readonly Uint8Array[]) => batches.map(({ buffer }) => buffer as ArrayBuffer)
