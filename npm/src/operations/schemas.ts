import { namesOf, takenOptions } from '../checks.js'
import type { Write } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { describe, invalid } from '../errors.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import type { JSONSchema, SchemaOptions, SetSchemaOptions, Stored } from '../types.js'
import { collectionName } from './collection-name.js'
import { changeBy } from './writes.js'

const known = ['strict', 'defaults', 'schemas'] as const

/** Creates an empty collection, whose documents must fit the schema if there is one. */
export function createCollection(name: unknown, schema: unknown = null, options: SchemaOptions = {}): Write<void> {
  if (namesOf(schema).includes('schema')) throw invalid('schema: expected a JSON Schema, not an object that has one as schema')
  const taken = takenOptions(options, known)
  const input = encoding('arguments', (encoder) => encoder.array(3).string(collectionName(name)).value(schema, 'schema').value(taken, 'options').taken())
  return (engine) => {
    engine.value(Op.createCollection, input)
  }
}

/** Gives a collection another schema, or with null none. */
export function setSchema(name: unknown, schema: unknown, options: SetSchemaOptions = {}): Write<void> {
  if (schema === undefined) throw invalid('schema: expected an object, or null for none, not undefined')
  const { migrate, ...rest } = takenOptions(options, [...known, 'migrate'])
  const args = (encoder: Encoder, count: number) => encoder.array(count).string(collectionName(name)).value(schema, 'schema').value(rest, 'options')
  if (typeof migrate !== 'function') {
    const input = encoding('arguments', (encoder) => {
      args(encoder, 4)
      return (migrate === undefined ? encoder.nil() : encoder.change(migrate, 'options.migrate')).taken()
    })
    return (engine) => {
      engine.value(Op.setSchema, input)
    }
  }
  if (schema === null) throw invalid(`options.migrate: there is nothing to mend without a schema, but it is ${describe(migrate)}`)
  const unfit = encoding('arguments', (encoder) => args(encoder, 3).taken())
  const start = encoding('arguments', (encoder) => args(encoder, 4).taken())
  const ask = migrate as (document: Stored<any>) => unknown
  return (engine) => {
    const documents = engine.rows(Op.unfit, unfit) as Stored<any>[]
    const input = encoding('options.migrate', (encoder) => {
      encoder.raw(start).array(documents.length)
      for (const document of documents) {
        encoder.array(2).value(document._id, '_id').change(changeBy(engine, 'options.migrate', ask, document), 'options.migrate: what the function returned')
      }
      return encoder.taken()
    })
    engine.value(Op.setSchema, input)
  }
}

/** The schema of a collection; null if it has none. */
export function schema(engine: EngineCalls, name: unknown): JSONSchema | null {
  return engine.value(Op.schema, encoding('arguments', (encoder) => encoder.array(1).string(collectionName(name)).taken())) as JSONSchema | null
}
