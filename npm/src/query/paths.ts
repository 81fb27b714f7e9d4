import { describe, invalid } from '../errors.js'

/** Field paths by name; null below a name means the whole field. */
export interface PathTree {
  [name: string]: PathTree | null
}

/** A part of the array at a path: at most `limit` elements from the one at `skip` on, below 0 counted from the end. */
export type Slice = readonly [path: string, skip: number, limit: number]

/** What of a document is returned: a path, with a dash one that is left out, or a slice. */
export type Shown = string | Slice

/** How many names a path may have; see engine/query/path.go. No document is deeper. */
const maxNames = 1000

/**
 * The path of these names, for every call that takes paths: `pathOf('ssh.a@b.com', 'port')` is a field below one with
 * dots in its name. They get a backslash each.
 */
export function pathOf(...names: string[]): string {
  return joinedNames(names)
}

/** What {@link pathOf} returns, of names in an array. */
export function joinedNames(names: readonly unknown[]): string {
  if (names.length === 0) throw invalid('pathOf: expected the names of a path')
  for (const name of names) if (typeof name !== 'string' || name === '') throw invalid(`pathOf: expected a name, not ${describe(name)}`)
  return (names as string[]).map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')
}

/** The names of a path, as the engine reads them. */
export function namesOf(path: string): string[] {
  if (!path.includes('\\')) return path.split('.')
  return [...path.matchAll(/(?:^|\.)((?:\\[\\.]|[^.])*)/g)].map(([, name]) => name!.replace(/\\([\\.])/g, '$1'))
}

/** Throws if `path` is not a path. Messages call it `what`. */
export function checkPath(what: string, path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '') throw invalid(`${what}: expected a field path, not ${describe(path)}`)
  if (path.length >= 2 * maxNames && path.split('.').length > maxNames) throw invalid(`${what}: expected a field path of at most ${maxNames} names`)
}

/** How deep documents of a result may be, to which their owner may have added anything. */
const maxDepth = 1100

/** @internal Throws if a walk through a document is deeper than any that is stored. */
export function checkDepth(depth: number): void {
  if (depth > maxDepth) throw invalid(`a document of this result is nested deeper than ${maxDepth} levels, or in itself`)
}

/** The tree of `paths`, like 'address.city'. */
export function treeOf(paths: readonly string[]): PathTree {
  const root = branch()
  nextPath: for (const path of paths) {
    const names = namesOf(path)
    const last = names.pop()!
    let tree = root
    for (const name of names) {
      const below = tree[name]
      if (below === null) continue nextPath // the whole field includes this part
      tree = tree[name] = below ?? branch()
    }
    tree[last] = null
  }
  return root
}

// Without a prototype: a path may be named "constructor".
function branch(): PathTree {
  return Object.create(null) as PathTree
}

/** Whether `value` is an object with fields. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Uint8Array)
}

/**
 * The part of `document` that is in `tree`, as the engine cuts it out: of an
 * array, that part of each element that has fields.
 */
export function project(document: object, tree: PathTree): object {
  return part(document, tree) as object
}

/**
 * What of a document `fields` return, as the engine reads them: paths to return besides _id, or, with dashes, to leave
 * out, and slices of arrays, which are returned, too.
 */
export function shownBy(fields: readonly Shown[]): (document: object) => object {
  const slices = fields.filter((field) => typeof field !== 'string')
  const paths = fields.filter((field) => typeof field === 'string')
  if (slices.length === 0) return byPaths(paths, [])
  const shown = paths.length === 0 ? (document: object) => document : byPaths(paths, slices.map(([path]) => path))
  return (document) => slices.reduce((cut, [path, skip, limit]) => sliced(cut, namesOf(path), skip, limit), shown(document) as unknown) as object
}

/** `value` with what is at the path of `names` cut, if it is an array; of an array on the way, in each element. */
function sliced(value: unknown, names: readonly string[], skip: number, limit: number): unknown {
  const [name, ...below] = names
  if (name === undefined) {
    if (!Array.isArray(value)) return value
    const from = skip < 0 ? Math.max(value.length + skip, 0) : skip
    return value.slice(from, from + limit)
  }
  if (Array.isArray(value)) return value.map((element) => sliced(element, names, skip, limit))
  if (!isMap(value) || !Object.hasOwn(value, name)) return value
  return { ...value, [name]: sliced(value[name], below, skip, limit) }
}

function byPaths(fields: readonly string[], cut: readonly string[]): (document: object) => object {
  const named = fields.filter((path) => path !== '_id' && path !== '-_id')
  const withId = !fields.includes('-_id')
  if (named.length > 0 ? named[0]!.startsWith('-') : !withId) {
    const left = treeOf([...named.map((path) => path.slice(1)), ...(withId ? [] : ['_id'])])
    return (document) => exclude(document, left)
  }
  const kept = treeOf([...(withId ? ['_id'] : []), ...named, ...cut])
  return (document) => project(document, kept)
}

function part(value: unknown, tree: PathTree, depth = 0): unknown {
  checkDepth(depth)
  if (Array.isArray(value)) return value.map((element) => part(element, tree, depth + 1)).filter((kept) => kept !== undefined)
  if (!isMap(value)) return undefined
  const kept: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) {
    const below = tree[name]
    if (below === undefined) continue
    const inside = below === null ? field : part(field, below, depth + 1)
    if (inside !== undefined) kept[name] = inside
  }
  return kept
}

/** `document` without what is in `tree`; in an array, without it in each element. */
export function exclude(document: object, tree: PathTree): object {
  return rest(document, tree) as object
}

function rest(value: unknown, tree: PathTree, depth = 0): unknown {
  checkDepth(depth)
  if (Array.isArray(value)) return value.map((element) => rest(element, tree, depth + 1))
  if (!isMap(value)) return value
  const kept: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) {
    const below = tree[name]
    if (below === undefined) kept[name] = field
    else if (below !== null) kept[name] = rest(field, below, depth + 1)
  }
  return kept
}
