/** What went wrong; stable across releases, unlike the message. */
export type ErrorCode =
  | 'invalid' // an argument the caller can correct; the message says which and why
  | 'schema' // the document breaks the collection's schema
  | 'duplicate_id' // insert of an id that exists
  | 'unique' // a unique index holds these values already
  | 'not_found' // no collection, index or document of that name
  | 'relationship' // a relationship forbids the write
  | 'conflict' // another writer won and the retries ran out
  | 'quota' // the storage is full; the write is undone
  | 'storage' // the storage failed, and the write is undone; or the engine has ended, and it may be stored
  | 'corrupt' // stored bytes fail their checks
  | 'decrypt' // wrong password or key, or tampered data
  | 'timeout' // a bounded wait ran out
  | 'closed' // the database has been closed, or has ended with its engine
  | 'unsupported' // this host or this version cannot do that
  | 'internal' // a bug in AtomicDB, or the end of its memory

/**
 * The only kind of error that AtomicDB throws. What a function of yours throws
 * while AtomicDB runs it is passed on unchanged.
 */
export class AtomicDBError extends Error {
  override readonly name = 'AtomicDBError'

  /** With the code `schema`: every fault, with its path in the document and the keyword that it breaks. */
  declare readonly errors?: { path: string; keyword: string; message: string }[]

  /** Of importStream: how many documents are stored. */
  declare readonly imported?: number

  /** With the code `quota`, if the browser tells: how many bytes the site has stored. */
  declare readonly usage?: number
  /** With the code `quota`, if the browser tells: how many bytes it says that the site may store. */
  declare readonly quota?: number

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}
