import { collectionName, type Connection } from '../connection/connection.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { describe, invalid } from '../errors.js'
import { Op } from '../engine/ops.js'
import { all, byId, first, idIn } from './reads.js'
import type { TrackedChange } from '../api/tracker.js'
import type { Id, IndexOptions, Stored } from '../types.js'
import { predicateOf, prepared, writeWhere } from '../query/where.js'

// Each function copies its arguments and returns what does the write. That may
// run several times, and does everything or, when it throws, nothing.

/** About how many bytes of documents go to the engine in one call. */
const pieceBytes = (1 << 20) - (32 << 10)

/** Adds one document, or with `upsert` replaces it. */
export function insertOne(connection: Connection, collection: unknown, document: unknown, upsert: boolean): () => Id {
  const input = encoding('document', (encoder) => {
    return writeInsert(encoder, collection, upsert).object(document, 'document').taken()
  })
  return () => (connection.value(Op.insert, input) as [Id])[0]
}

/** Adds documents, all or none. */
export function insertMany(connection: Connection, collection: unknown, documents: readonly unknown[]): () => Id[] {
  if (!Array.isArray(documents)) throw invalid(`documents: expected an array, not ${describe(documents)}`)
  collectionName(collection)
  const pieces: Uint8Array[] = []
  for (let i = 0; i < documents.length; ) {
    const piece = encoding('documents', (encoder) => {
      writeInsert(encoder, collection, false)
      while (i < documents.length && encoder.length < pieceBytes) encoder.element(documents, i++, 'documents')
      return encoder.taken()
    })
    pieces.push(piece)
  }
  if (pieces.length === 1) return () => connection.value(Op.insert, pieces[0]!) as Id[]
  return () => connection.whole(() => pieces.flatMap((piece) => connection.value(Op.insert, piece) as Id[]))
}

function writeInsert(encoder: Encoder, collection: unknown, upsert: boolean): Encoder {
  return encoder.array(2).value(collectionName(collection), 'collection').boolean(upsert)
}

/** Makes a change, or what a function returns for each, in every document that matches; answers how many changed. */
export function update(connection: Connection, collection: unknown, change: unknown, where: unknown): () => number {
  collectionName(collection)
  if (typeof change === 'function') {
    const ask = change as (document: Stored<any>) => unknown
    const matching = prepared(where)
    return () => updateEach(connection, collection, all(connection, collection, matching), (encoder, document) => {
      encoder.change(connection.asked('fields', ask, document), 'fields: what the function returned')
    })
  }
  const predicate = predicateOf(where)
  if (predicate) {
    const fields = encoding('fields', (encoder) => encoder.change(change, 'fields').taken())
    return () => updateEach(connection, collection, all(connection, collection, predicate), (encoder) => encoder.raw(fields))
  }
  const input = encoding('fields', (encoder) => {
    encoder.array(3).string(collectionName(collection)).change(change, 'fields')
    writeWhere(encoder, where)
    return encoder.taken()
  })
  return () => connection.value(Op.update, input) as number
}

/** Makes a change of its own in each document, and answers how many changed. */
export function changeEach(connection: Connection, collection: unknown, changes: readonly TrackedChange[]): () => number {
  const pieces = changePieces(collection, changes, (encoder, { change }) => encoder.object(change, 'tracked'))
  return () => runPieces(connection, pieces)
}

function updateEach(
  connection: Connection,
  collection: unknown,
  documents: readonly Stored<any>[],
  writeChange: (encoder: Encoder, document: Stored<any>) => void,
): number {
  return runPieces(connection, changePieces(collection, documents, writeChange))
}

/** The arguments of updateEach, in pieces that one call takes. All are written before the first change is made. */
function changePieces<D extends { readonly _id: Id }>(
  collection: unknown,
  documents: readonly D[],
  writeChange: (encoder: Encoder, document: D) => void,
): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let i = 0; i < documents.length; ) {
    const piece = encoding('fields', (encoder) => {
      const opened = encoder.array(2).string(collectionName(collection)).openArray()
      const start = i
      while (i < documents.length && encoder.length < pieceBytes) {
        const document = documents[i++]!
        encoder.array(2).value(document._id, '_id')
        writeChange(encoder, document)
      }
      return encoder.closeArray(opened, i - start).taken()
    })
    pieces.push(piece)
  }
  return pieces
}

function runPieces(connection: Connection, pieces: readonly Uint8Array[]): number {
  const run = (piece: Uint8Array) => connection.value(Op.updateEach, piece) as number
  if (pieces.length === 1) return run(pieces[0]!)
  return connection.whole(() => pieces.reduce((changed, piece) => changed + run(piece), 0))
}

/** Changes the first document that matches and answers it as it is then; undefined if there is none. */
export function atomicUpdate(connection: Connection, collection: unknown, change: unknown, where: unknown): () => Stored<any> | undefined {
  if (typeof change !== 'function') throw invalid(`change: expected a function, not ${describe(change)}`)
  const ask = change as (document: Stored<any>) => unknown
  const matching = prepared(where)
  return () => {
    const document = first(connection, collection, matching)
    if (!document) return undefined
    const { _id } = document // the function may change its copy
    updateEach(connection, collection, [document], (encoder) => {
      encoder.change(connection.asked('change', ask, document), 'change: what the function returned')
    })
    return byId(connection, collection, _id)
  }
}

/** Removes every document that matches and answers how many did. */
export function remove(connection: Connection, collection: unknown, where: unknown): () => number {
  const predicate = predicateOf(where)
  const input = (condition: unknown) => {
    return encoding('arguments', (encoder) => {
      writeWhere(encoder.array(2).string(collectionName(collection)), condition)
      return encoder.taken()
    })
  }
  if (predicate) return () => connection.value(Op.remove, input(idIn(all(connection, collection, predicate).map((document) => document._id)))) as number
  const prepared = input(where)
  return () => connection.value(Op.remove, prepared) as number
}

/** Declares an index. */
export function createIndex(connection: Connection, collection: unknown, paths: readonly unknown[], options: IndexOptions): () => void {
  const { unique = false, sparse = false } = options
  return command(connection, Op.createIndex, [collectionName(collection), pathList(paths), { unique, sparse }])
}

/** Removes the index on exactly these paths. */
export function dropIndex(connection: Connection, collection: unknown, paths: readonly unknown[]): () => void {
  return command(connection, Op.dropIndex, [collectionName(collection), pathList(paths)])
}

/** An op that answers nothing of interest. */
export function command(connection: Connection, op: Op, args: readonly unknown[]): () => void {
  const input = encoding('arguments', (encoder) => encoder.value(args).taken())
  return () => {
    connection.value(op, input)
  }
}

/** Takes apart the arguments of createIndex and dropIndex: paths, and perhaps options of these names. */
export function indexArguments(args: readonly unknown[], collection: unknown, names: readonly string[]): { paths: readonly unknown[]; options: IndexOptions } {
  const last = args[args.length - 1]
  if (typeof last !== 'object' || last === null) return { paths: args, options: {} }
  const options = last as Record<string, unknown>
  for (const [name, value] of Object.entries(options)) {
    if (name === 'collection') {
      if (value !== undefined && value !== collection) throw invalid(`options.collection: this is the collection ${describe(collection)}, not ${describe(value)}`)
    } else if (!names.includes(name)) {
      throw invalid(`options: there is no option ${name}; the options are ${['collection', ...names].join(', ')}`)
    } else if (value !== undefined && typeof value !== 'boolean') {
      throw invalid(`options.${name}: expected true or false, not ${describe(value)}`)
    }
  }
  return { paths: args.slice(0, -1), options }
}

function pathList(paths: readonly unknown[]): readonly unknown[] {
  for (const path of paths) {
    if (typeof path !== 'string' || path === '') throw invalid(`paths: expected a field path, not ${describe(path)}`)
  }
  if (paths.length === 0) throw invalid('paths: expected at least one field path')
  return paths
}
