import type { Write } from '../connection/calls.js'
import { Op } from '../engine/ops.js'
import { describe, invalid } from '../errors.js'
import { collatedPath, collationOf } from '../query/collation.js'
import { checkPath } from '../query/paths.js'
import { collectionName } from './collection-name.js'
import { command } from './writes.js'

/** Declares an index. `args` are those of createIndex: paths, and perhaps options. */
export function createIndex(collection: unknown, args: readonly unknown[]): Write<void> {
  const { unique = false, sparse = false, collation } = checkedOptions(args, collection, ['unique', 'sparse', 'collation'])
  return command(Op.createIndex, [collectionName(collection), pathsOf(args, collation), { unique, sparse }])
}

/** Removes the index on exactly these paths. `args` are those of dropIndex. */
export function dropIndex(collection: unknown, args: readonly unknown[]): Write<void> {
  const { collation } = checkedOptions(args, collection, ['collation'])
  return command(Op.dropIndex, [collectionName(collection), pathsOf(args, collation)])
}

/** The options among the arguments of createIndex or dropIndex. They come last, if there are any. */
export function indexOptions(args: readonly unknown[]): object | undefined {
  const last = args[args.length - 1]
  return typeof last === 'object' && last !== null ? last : undefined
}

function checkedOptions(args: readonly unknown[], collection: unknown, names: readonly string[]): Record<string, unknown> {
  const options = { ...indexOptions(args) } as Record<string, unknown>
  for (const [name, value] of Object.entries(options)) {
    if (name === 'collection') {
      if (value !== undefined && value !== collection) throw invalid(`options.collection: this is the collection ${describe(collection)}, not ${describe(value)}`)
    } else if (!names.includes(name)) {
      throw invalid(`options: there is no option ${name}; the options are ${['collection', ...names].join(', ')}${args.length === 1 ? '; paths are texts, and come first' : ''}`)
    } else if (name !== 'collation' && value !== undefined && typeof value !== 'boolean') {
      throw invalid(`options.${name}: expected true or false, not ${describe(value)}`)
    }
  }
  return options
}

function pathsOf(args: readonly unknown[], collation: unknown): readonly unknown[] {
  const paths = indexOptions(args) ? args.slice(0, -1) : args
  for (const path of paths) checkPath('paths', path)
  if (paths.length === 0) throw invalid('paths: expected at least one field path')
  const name = collationOf('options.collation', collation)
  return paths.map((path) => collatedPath(path as string, name))
}
