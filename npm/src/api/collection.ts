import type { Calls } from '../connection/calls.js'
import { DocumentCalls } from './document-calls.js'

/**
 * The calls of a database, bound to one collection and typed by its documents.
 * The first document creates the collection.
 *
 * Every call rejects with an {@link AtomicDBError}: `invalid` if an argument
 * is wrong, `closed` after close(). A write rejects with `quota` or `storage` if
 * the storage fails; then nothing of it is stored. What a function of yours
 * throws is passed on unchanged.
 */
export class Collection<T extends object = any> extends DocumentCalls<T, 'collection'> {
  readonly name: string

  /** @internal */
  constructor(calls: Calls, name: string) {
    super(calls)
    this.name = name
  }

  /** @internal */
  collectionNamed(): string {
    return this.name
  }

  /** @internal */
  collectionIn(): string {
    return this.name
  }

  /** @internal */
  namesCollection(): boolean {
    return false
  }
}
