import { checkFunction, checkName, checkOptionsObject, checkSignal, takenOptions } from '../checks.js'
import type { Calls, ConnectionCalls } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { readArguments } from '../connection/errors.js'
import { Op } from '../engine/ops.js'
import { AtomicDBError, describe, invalid, isThrown, messageOf, readingError } from '../errors.js'
import { encoding } from '../msgpack/encode.js'
import { collectionName } from '../operations/collection-name.js'
import { portionsOf } from '../operations/iterate.js'
import { collections, count, find, idIn } from '../operations/reads.js'
import { everything, queryOf } from '../query/find-options.js'
import { prepared } from '../query/where.js'
import type { CheckedExport, CheckedImport, Engine, Host } from '../streams/host.js'
import type { ByteStream, ExportOptions, ImportOptions, StreamSource } from '../types.js'
import { storeFile } from './export-import.js'

// What is loaded with the first stream has these functions handed over; see Host.
const streams = () => import('../streams/streams.js')

/** See {@link OpenDatabase.importStream}. */
export async function importStream(calls: ConnectionCalls, source: StreamSource, given: ImportOptions): Promise<number> {
  const options = readArguments(() => importOptionsOf(given))
  await calls.read(() => {})
  const { importStream } = await streams()
  try {
    return await importStream(source, options as CheckedImport, hostOf(calls))
  } catch (error) {
    // Of an ArrayBuffer that was transferred, the host can make no bytes.
    throw isThrown(error, TypeError) && /detached/.test(messageOf(error)) ? invalid('source: its bytes were transferred to elsewhere') : readingError('source', error)
  }
}

/** See {@link DatabaseCalls.exportStream}. */
export function exportStream(calls: Calls, given: ExportOptions): ByteStream {
  const { options, query, where } = readArguments(() => exportOptionsOf(given))
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 0 })
  streams()
    .then(({ exportStream }) => exportStream({ ...options, where } as CheckedExport, hostOf(calls as ConnectionCalls, query)).pipeTo(writable))
    .catch((error: unknown) => writable.abort(error).catch(() => {})) // nobody reads it any more
  return readable as ByteStream
}

function importOptionsOf(given: ImportOptions): ImportOptions {
  const options = takenOptions(given, ['format', 'collection', 'onDuplicate', 'columns', 'onProgress', 'signal'])
  checkCommon(options)
  checkOneOf('onDuplicate', options.onDuplicate, ['replace', 'skip', 'error'])
  if (options.columns !== undefined) {
    checkOptionsObject(options.columns)
    for (const kind of Object.values(options.columns)) checkOneOf('columns', kind, ['text', 'number', 'boolean'])
  }
  if (options.collection !== undefined) collectionName(options.collection)
  return options
}

function exportOptionsOf(given: ExportOptions) {
  const options = takenOptions(given, ['format', 'collection', 'where', 'fields', 'onProgress', 'signal'])
  checkCommon(options)
  const query = queryOf({ fields: options.fields }, undefined)
  return { options, query, where: options.where === undefined ? undefined : prepared(options.where) }
}

function checkCommon({ format, collection, onProgress, signal }: ImportOptions | ExportOptions): void {
  checkOneOf('format', format, ['json', 'ndjson', 'csv', 'msgpack'])
  if (collection !== undefined) checkName('options.collection', collection)
  if (onProgress !== undefined) checkFunction('options.onProgress', onProgress)
  if (signal !== undefined) checkSignal('options.signal', signal)
}

function checkOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value !== undefined && !allowed.includes(value)) throw invalid(`options.${name}: expected ${allowed.join(', ')}, not ${describe(value)}`)
}

/** Whether anything is declared: the collection that says it has a reserved name until it is there. */
function isDeclared(engine: EngineCalls): boolean {
  try {
    return count(engine, '_catalog', undefined, 1) > 0
  } catch (error) {
    if (error instanceof AtomicDBError && error.code === 'invalid') return false
    throw error
  }
}

function hostOf(calls: ConnectionCalls, query = everything): Host {
  const engineOf = (engine: Engine) => engine as unknown as EngineCalls
  return {
    check: () => calls.read(() => {}),
    write: (prepare) => calls.write(prepare as never),
    insert: Op.insert,
    encoding: encoding as Host['encoding'],
    known: (engine, collection, ids) => {
      const found: { _id: never }[] = []
      find(engineOf(engine), collection, idIn(ids), { ...everything, fields: ['_id'] }, found)
      return found.map(({ _id }) => _id)
    },
    parseFile: (file, type) => calls.parseFile(file, type),
    importFile: (file, type) => storeFile(calls, file, type),
    collections: () => calls.read((engine) => [...collections(engine), ...(isDeclared(engine) ? ['_catalog'] : [])]),
    // What is declared is whole, whatever is asked of documents.
    pages: (collection, where) => {
      const read: Calls['read'] = (work) => calls.read(work)
      return collection === '_catalog' ? portionsOf(read, collection, undefined, everything) : portionsOf(read, collection, where, query)
    },
    error: (code, message, fields, cause) => Object.assign(new AtomicDBError(code, message, { cause }), fields),
    describe,
    codeOf: (thrown) => (thrown instanceof AtomicDBError ? thrown.code : undefined),
  }
}
