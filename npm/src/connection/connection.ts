import type { FileType, ParsedFile } from '../engine/async-engine.js'
import type { Report } from '../types.js'
import type { Calls, ConnectionCalls, Write } from './calls.js'
import { EngineCalls } from './engine-calls.js'

/** One open database, whose engine runs in this thread or in another. */
export abstract class Connection extends EngineCalls implements ConnectionCalls {
  abstract read<R>(work: (engine: EngineCalls) => R): Promise<R>

  abstract write<R>(prepare: () => Write<R>): Promise<R>

  abstract transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R>

  /** All documents and indexes as a file, with what is not stored yet. */
  abstract exportFile(type: FileType): Promise<Uint8Array>

  /** What a file holds. */
  abstract parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile>

  /** Waits until all writes so far are stored, and compares what is stored with what is in memory. */
  abstract verify(): Promise<Report>

  /** Resolves when every write so far is stored. */
  abstract flush(): Promise<void>

  /** Stores what a database with `inMemory` has kept in memory until now; after an error it still has everything. */
  abstract commit(): Promise<void>

  /** Stores what is not stored yet and ends the connection. A second call changes nothing. */
  abstract close(): Promise<void>
}
