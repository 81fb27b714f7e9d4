import { invalid } from '../errors.js'
import type { DocumentChange } from '../operations/writes.js'
import { isMap, namesOf, pathOf } from '../query/paths.js'
import type { Id } from '../types.js'

/** Stores changes: all of them or none. */
export type Store = (changes: DocumentChange[]) => Promise<unknown>

/** The object behind each proxy of a tracker. */
const originals = new WeakMap<object, object>()

/** The document that `document` is a proxy of, or itself. */
export function originalOf<D extends object>(document: D): D {
  return (originals.get(document) as D | undefined) ?? document
}

/**
 * Notices assignments to documents, at any depth, and stores those of a tick
 * together.
 *
 * It stores the value at the path that was assigned to, so that what others
 * changed at other paths stays. An array is stored whole, because positions in
 * it may shift. A Date or Uint8Array that is changed in place is not noticed.
 */
export class Tracker {
  private readonly touched = new Map<object, Set<string>>() // paths by document
  private scheduled = false
  private saving: Promise<unknown> = Promise.resolve()
  private failure: { error: unknown } | undefined

  constructor(private readonly store: Store) {}

  /** A proxy of `document` whose assignments are noticed. */
  watch<D extends object>(document: D): D {
    const proxy = new Proxy(document, new Watched<D>(document, '', (path) => this.touch(document, path)))
    originals.set(proxy, document)
    return proxy
  }

  /** Resolves when every assignment so far is stored; rejects with the first failure since the last call. */
  async saved(): Promise<void> {
    this.save()
    await this.saving
    const { failure } = this
    this.failure = undefined
    if (failure) throw failure.error
  }

  private touch(document: object, path: string): void {
    const paths = this.touched.get(document)
    if (paths) paths.add(path)
    else this.touched.set(document, new Set([path]))
    if (this.scheduled) return
    this.scheduled = true
    queueMicrotask(() => {
      this.scheduled = false
      this.save()
    })
  }

  private save(): void {
    if (this.touched.size === 0) return
    const touched = [...this.touched]
    this.touched.clear()
    this.saving = Promise.all([this.saving, this.storeNow(touched)])
  }

  private async storeNow(touched: readonly (readonly [object, Set<string>])[]): Promise<void> {
    try {
      await this.store(touched.map(([document, paths]) => changeOf(document as { _id: Id }, paths)))
    } catch (error) {
      this.failure ??= { error } // for saved(), which may not have been called yet
    }
  }
}

/** The change that gives the stored document the values that `document` has at `paths`. */
function changeOf(document: { _id: Id }, paths: Set<string>): DocumentChange {
  const $set: Record<string, unknown> = {}
  const $unset: Record<string, unknown> = {}
  for (const path of paths) {
    if (isInsideAnother(path, paths)) continue
    const value = fieldAt(document, path)
    if (value === undefined) $unset[path] = true
    else $set[path] = value
  }
  return { _id: document._id, change: { $set, $unset } }
}

function isInsideAnother(path: string, paths: Set<string>): boolean {
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    if (paths.has(path.slice(0, dot))) return true
  }
  return false
}

function fieldAt(document: object, path: string): unknown {
  let value: unknown = document
  for (const name of namesOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** The traps of one watched object: a document, or an object or array in it. */
class Watched<D extends object> implements ProxyHandler<D> {
  private readonly below = new Map<string, { value: object; proxy: object }>()

  /** @param path The path of the object in its document; '' for the document itself. */
  constructor(
    object: D,
    private readonly path: string,
    private readonly touch: (path: string) => void,
    private readonly isArray = Array.isArray(object),
  ) {}

  get(object: D, name: string | symbol): unknown {
    const value: unknown = Reflect.get(object, name)
    if (typeof name === 'symbol' || typeof value !== 'object' || value === null) return value
    if (!Array.isArray(value) && !isMap(value)) return value
    const known = this.below.get(name)
    if (known?.value === value) return known.proxy
    const { configurable, writable } = Object.getOwnPropertyDescriptor(object, name) ?? { configurable: true }
    if (!configurable && !writable) return value // frozen: a proxy has to show it as it is
    // An assignment inside an array stores the whole array.
    const touch = this.isArray ? () => this.touch(this.path) : this.touch
    const proxy = new Proxy(value, new Watched(value, this.isArray ? this.path : this.pathOf(name), touch))
    originals.set(proxy, value)
    this.below.set(name, { value, proxy })
    return proxy
  }

  set(object: D, name: string | symbol, value: unknown): boolean {
    this.note(name)
    return Reflect.set(object, name, typeof value === 'object' && value !== null ? originalOf(value) : value)
  }

  deleteProperty(object: D, name: string | symbol): boolean {
    this.note(name)
    return Reflect.deleteProperty(object, name)
  }

  private note(name: string | symbol): void {
    if (typeof name === 'symbol') return
    this.touch(this.isArray ? this.path : this.pathOf(name))
  }

  private pathOf(name: string): string {
    if (this.path === '' && name === '_id') throw invalid('_id: the _id of a document cannot change')
    if (name === '__proto__') throw invalid(`a tracked result cannot store the field __proto__, which objects cannot hold safely`)
    if (name === '') throw invalid('a tracked result cannot store a field without a name')
    return this.path === '' ? pathOf(name) : `${this.path}.${pathOf(name)}`
  }
}
