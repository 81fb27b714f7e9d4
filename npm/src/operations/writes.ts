import { namesOf } from '../checks.js'
import type { Write } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { describe, invalid } from '../errors.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { everything, type Query } from '../query/find-options.js'
import { predicateOf, prepared, writeWhere } from '../query/where.js'
import type { Id, Stored } from '../types.js'
import { collectionName } from './collection-name.js'
import { all, byId, conditionOf, find, first, idIn } from './reads.js'

// Each function copies its arguments and returns the write; see Write.

/** About how many bytes of documents go to the engine in one call: a piece. */
const pieceBytes = (1 << 20) - (32 << 10)

/** Adds one document, or with `upsert` replaces it. */
export function insertOne(collection: unknown, document: unknown, upsert: boolean): Write<Id> {
  const input = encoding('document', (encoder) => {
    return writeInsert(encoder, collection, upsert).object(document, 'document').taken()
  })
  return (engine) => (engine.value(Op.insert, input) as [Id])[0]
}

/** Adds documents, or with `upsert` replaces them: all or none. */
export function insertMany(collection: unknown, documents: readonly unknown[], upsert = false): Write<Id[]> {
  if (!Array.isArray(documents)) throw invalid(`documents: expected an array, not ${describe(documents)}`)
  collectionName(collection)
  const pieces: Uint8Array[] = []
  for (let i = 0; i < documents.length; ) {
    const piece = encoding('documents', (encoder) => {
      writeInsert(encoder, collection, upsert)
      while (i < documents.length && encoder.length < pieceBytes) encoder.element(documents, i++, 'documents')
      return encoder.taken()
    })
    pieces.push(piece)
  }
  if (pieces.length === 1) return (engine) => engine.value(Op.insert, pieces[0]!) as Id[]
  return (engine) => engine.whole(() => pieces.flatMap((piece) => engine.value(Op.insert, piece) as Id[]))
}

function writeInsert(encoder: Encoder, collection: unknown, upsert: boolean): Encoder {
  return encoder.array(2).value(collectionName(collection), 'collection').boolean(upsert)
}

/** Makes a change, or the change that a function returns for a document, in every document that matches; returns how many changed. */
export function update(collection: unknown, change: unknown, where: unknown): Write<number> {
  collectionName(collection)
  checkOrder(where)
  if (typeof change === 'function') {
    const ask = change as (document: Stored<any>) => unknown
    const matching = prepared(where)
    return (engine) => changeDocuments(engine, collection, 'fields', ask, all(engine, collection, matching))
  }
  const predicate = predicateOf(where)
  if (predicate) {
    const fields = encoding('fields', (encoder) => encoder.change(change, 'fields').taken())
    return (engine) => updateEach(engine, collection, all(engine, collection, predicate), (encoder) => encoder.raw(fields))
  }
  const input = encoding('fields', (encoder) => {
    encoder.array(3).string(collectionName(collection)).change(change, 'fields')
    writeWhere(encoder, where)
    return encoder.taken()
  })
  return (engine) => engine.value(Op.update, input) as number
}

/** Throws if a condition is a change: elsewhere, as in MongoDB, the condition is the first argument of an update. */
function checkOrder(where: unknown): void {
  const operator = namesOf(where).find((name) => /^\$(set|unset|inc|push|pull|addToSet)$/.test(name))
  if (operator !== undefined) throw invalid(`where.${operator}: expected a condition, not a change; update(change, where) takes the change first`)
}

/**
 * The change that a function of the user makes of a document. If it returns the document itself, that is how the
 * document is to be: what the function has deleted is removed.
 */
export function changeBy(engine: EngineCalls, name: string, ask: (document: Stored<any>) => unknown, document: Stored<any>): unknown {
  const names = Object.keys(document)
  const result = engine.callback(name, ask, document)
  if (result !== document) return result
  const $unset: Record<string, true> = {}
  for (const gone of names) {
    if (gone === '_id' || Object.hasOwn(document, gone)) continue
    if (gone.includes('.')) throw invalid(`${name}: what the function returned lacks the field ${JSON.stringify(gone)}, whose name cannot be told from a path`)
    $unset[gone] = true
  }
  return Object.keys($unset).length === 0 ? document : { $set: document, $unset }
}

/** Makes in each document the change that `ask`, the argument `name`, returns for it; returns how many changed. */
export function changeDocuments(engine: EngineCalls, collection: unknown, name: string, ask: (document: Stored<any>) => unknown, documents: readonly Stored<any>[]): number {
  return updateEach(engine, collection, documents, (encoder, document) => {
    encoder.change(changeBy(engine, name, ask, document), `${name}: what the function returned`)
  })
}

/** A change of one document. */
export interface DocumentChange {
  readonly _id: Id
  /** An operator object: $set and $unset. */
  readonly change: object
}

/** Makes these changes, each in its document; returns how many documents changed. */
export function changeEach(collection: unknown, changes: readonly DocumentChange[]): Write<number> {
  const pieces = changePieces(collection, changes, (encoder, { change }) => encoder.object(change, 'tracked'))
  return (engine) => runPieces(engine, pieces)
}

function updateEach(
  engine: EngineCalls,
  collection: unknown,
  documents: readonly Stored<any>[],
  writeChange: (encoder: Encoder, document: Stored<any>) => void,
): number {
  return runPieces(engine, changePieces(collection, documents, writeChange))
}

/** The arguments of the op updateEach, in pieces, one for each call. All are written before the first change is made. */
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

function runPieces(engine: EngineCalls, pieces: readonly Uint8Array[]): number {
  const run = (piece: Uint8Array) => engine.value(Op.updateEach, piece) as number
  if (pieces.length === 1) return run(pieces[0]!)
  return engine.whole(() => pieces.reduce((changed, piece) => changed + run(piece), 0))
}

/** Changes the documents of these ids; returns how many changed, and the documents as `query` wants them. */
export function updateThese(collection: unknown, ids: readonly Id[], change: object, query: Pick<Query, 'fields' | 'populate'>): Write<{ changed: number; documents: Stored<any>[] }> {
  const these = idIn(ids)
  const write = update(collection, change, these)
  return (engine) => {
    const changed = write(engine)
    const documents: Stored<any>[] = []
    find(engine, collection, these, { ...everything, ...query }, documents)
    return { changed, documents }
  }
}

/** Removes the documents of these ids; returns how many there were. */
export function removeThese(collection: unknown, ids: readonly Id[]): Write<number> {
  return remove(collection, idIn(ids))
}

/** Changes the first document that matches and returns it as it is then; undefined if there is none. */
export function atomicUpdate(collection: unknown, change: unknown, where: unknown): Write<Stored<any> | undefined> {
  if (typeof change !== 'function') throw invalid(`change: expected a function, not ${describe(change)}`)
  const ask = change as (document: Stored<any>) => unknown
  const matching = prepared(where)
  return (engine) => {
    const document = first(engine, collection, matching)
    if (!document) return undefined
    const { _id } = document // the function may change its copy
    changeDocuments(engine, collection, 'change', ask, [document])
    return byId(engine, collection, _id)
  }
}

/** Removes every document that matches; returns how many did. */
export function remove(collection: unknown, where: unknown): Write<number> {
  const input = (condition: unknown) => encoding('arguments', (encoder) => {
    writeWhere(encoder.array(2).string(collectionName(collection)), condition)
    return encoder.taken()
  })
  if (predicateOf(where)) return (engine) => engine.value(Op.remove, input(conditionOf(engine, collection, where))) as number
  const prepared = input(where)
  return (engine) => engine.value(Op.remove, prepared) as number
}

/** Removes every document of a collection. */
export function clear(collection: unknown): Write<void> {
  return command(Op.clear, [collectionName(collection)])
}

/** Removes a collection, if it exists, with its documents and indexes. */
export function dropCollection(name: unknown): Write<void> {
  return command(Op.dropCollection, [collectionName(name)])
}

/** A call of an op that answers nothing. */
export function command(op: Op, args: readonly unknown[]): Write<void> {
  const input = encoding('arguments', (encoder) => encoder.value(args).taken())
  return (engine) => {
    engine.value(op, input)
  }
}
