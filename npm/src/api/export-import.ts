import { takenBytes } from '../checks.js'
import type { ConnectionCalls, Write } from '../connection/calls.js'
import type { Connection } from '../connection/connection.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import type { FileType, ParsedFile } from '../engine/async-engine.js'
import { Op } from '../engine/ops.js'
import { AtomicDBError, describe, invalid } from '../errors.js'
import { encoding } from '../msgpack/encode.js'
import { command } from '../operations/writes.js'
import { packFile, takenSealOptions, unpackFile } from '../security/packing.js'
import type { FileFormat } from '../security/seal-options.js'

/** The whole database as one file. */
export async function exportFile(connection: Connection, given: FileFormat): Promise<Uint8Array> {
  const format = checkedFormat(given)
  const { type = 'json', ...seal } = format
  return packFile(await connection.exportFile(type), seal)
}

/** Stores everything that a file holds, or nothing, with a write of `calls`. */
export async function importFile(connection: Connection, calls: ConnectionCalls, file: unknown, given: FileFormat): Promise<void> {
  connection.checkOutsideTransaction()
  const format = checkedFormat(given)
  if (typeof file === 'string') throw invalid('file: expected a Uint8Array, not a text; importStream() takes texts')
  const content = await unpackFile(takenBytes('file', file), format)
  return storeFile(calls, content, format.type ?? typeOf(content)).catch((error: unknown) => {
    const isNoJSON = error instanceof AtomicDBError && error.code === 'invalid' && /: expected (a value|the end)$/.test(error.message)
    throw isNoJSON ? invalid(`${error.message}; importStream() reads CSV, and files with a document a line`) : error
  })
}

/** The same, for a file that is neither compressed nor encrypted. */
export async function storeFile(calls: ConnectionCalls, content: Uint8Array, type: FileType): Promise<void> {
  const parsed = await calls.parseFile(content, type)
  return calls.write(() => storing(parsed))
}

function checkedFormat(given: FileFormat): FileFormat {
  const format = takenSealOptions(given, 'type')
  if (format.type !== undefined && format.type !== 'json' && format.type !== 'msgpack') {
    throw invalid(`format.type: expected 'json' or 'msgpack', not ${describe(format.type)}`)
  }
  return format
}

/** What a file is: the first byte of a MessagePack map starts no JSON. */
function typeOf(content: Uint8Array): FileType {
  const first = content[0] ?? 0
  return (first >= 0x80 && first <= 0x8f) || first === 0xde || first === 0xdf ? 'msgpack' : 'json'
}

function storing({ sections, schemas, indexes, relationships }: ParsedFile): Write<void> {
  const steps: Write<void>[] = sections.flatMap(({ collection, upsert, pieces }) => pieces.map((piece) => {
    const input = encoding('file', (encoder) => encoder.array(2).string(collection).boolean(upsert).raw(piece).taken())
    return (engine: EngineCalls) => {
      engine.value(Op.insert, input)
    }
  }))
  for (const { collection, source, options } of schemas) {
    steps.push(command(Op.createCollection, [collection, null, {}]))
    const input = encoding('file', (encoder) => encoder.array(4).string(collection).raw(source).raw(options).nil().taken())
    steps.push((engine) => {
      engine.value(Op.setSchema, input)
    })
  }
  for (const { collection, paths, ...options } of indexes) steps.push(command(Op.createIndex, [collection, paths, options]))
  for (const relationship of relationships) steps.push(command(Op.addRelationship, [relationship]))
  return (engine) => engine.whole(() => steps.forEach((step) => step(engine)))
}
