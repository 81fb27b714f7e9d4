import type { Program } from '../program.js'
import type { FileType, ParsedFile } from '../engine/async-engine.js'
import type { EngineEndError } from '../errors.js'
import type { Report } from '../types.js'
import type { Calls, ConnectionCalls, Write } from './calls.js'
import { EngineCalls } from './engine-calls.js'
import type { LiveListener, LiveQuestion } from './live.js'
import type { EarlierState, Feed, FeedListener } from './feeds.js'

/** One open database. */
export interface Connection extends ConnectionCalls {
  /** All documents and indexes as a file, with what is not stored yet. */
  exportFile(type: FileType): Promise<Uint8Array>

  /** Waits until all writes so far are stored, and compares what is stored with what is in memory. */
  verify(): Promise<Report>

  /** Throws if a call that waits for the end of the running transaction comes from inside it, where that is certain. */
  checkOutsideTransaction(): void

  /** Resolves when every write so far is stored. */
  flush(): Promise<void>

  /** Stores what a database with `inMemory` has kept in memory until now; after an error it still has everything. */
  commit(): Promise<void>

  /** Stores what is not stored yet and ends the connection. A second call changes nothing. */
  close(): Promise<void>
}

/** The options of open() that only this package sets. */
export interface OwnOptions {
  /** See Listeners.group. */
  readonly group?: Uint8Array
  /** The engine's wasm, if it has been compiled before. */
  readonly program?: Program
}

/** When writes are stored: each at once, never, or all when commit() is called. */
export type Keeping = 'always' | 'never' | 'on commit'

/** A connection that ends with its engine, which runs in this thread or in another. */
export abstract class EngineConnection extends EngineCalls implements Connection {
  /** The wasm of the engine; undefined if it is in a worker that other pages use too. */
  abstract readonly program: Program | undefined

  /** If the engine has ended: the error of the calls that were in flight, and of later ones. */
  abstract readonly ended: EngineEndError | undefined

  /** Whether the engine is in a worker that other tabs use too. Default: no. */
  readonly isShared?: boolean

  /** Whether it holds acknowledged writes that no storage has. */
  abstract readonly isUnstored: boolean

  /** Called when the engine ends before the connection is closed. */
  onEnd: (() => void) | undefined

  abstract read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R>

  abstract write<R>(prepare: () => Write<R>): Promise<R>

  abstract transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R>

  abstract checkOutsideTransaction(): void

  /** As in LiveSource. When the engine ends, the listener is told so, before {@link onEnd} is called. */
  abstract live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void
  abstract feed(since: number | undefined, listener: FeedListener): Feed

  abstract at(seq: number): Promise<EarlierState>

  abstract exportFile(type: FileType): Promise<Uint8Array>

  abstract parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile>

  abstract verify(): Promise<Report>

  /** Applies what others have stored. */
  abstract catchUp(): Promise<void>

  abstract flush(): Promise<void>

  abstract commit(): Promise<void>

  abstract close(): Promise<void>
}
