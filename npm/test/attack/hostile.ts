import type { Random } from '../random/random.js'

/** A value, and what reports call it: to print the value itself could run what is hostile in it. */
export interface Named<V = unknown> {
  readonly name: string
  readonly value: V
}

type Make = () => unknown

/** Everything that a function or a getter of ours has thrown: it may come back, unchanged, also some rounds later. */
export class Thrown {
  private readonly primitives = new Set<unknown>()
  private readonly objects = new WeakSet<object>()

  add(value: unknown): void {
    if (isObject(value)) this.objects.add(value)
    else this.primitives.add(value)
  }

  has(value: unknown): boolean {
    return isObject(value) ? this.objects.has(value) : this.primitives.has(value)
  }
}

const isObject = (value: unknown): value is object => typeof value === 'function' || (typeof value === 'object' && value !== null)

/** Makes values that no caller should pass, and functions that misbehave. What those throw is in `thrown`. */
export class Hostility {
  /** Whether a function of ours has returned a revoked proxy: whoever waits for what it returns gets the host's TypeError. */
  hasReturnedRevoked = false
  private readonly scalars: Record<string, Make>
  private readonly objects: Record<string, Make>

  constructor(
    private readonly random: Random,
    readonly thrown: Thrown,
  ) {
    this.scalars = scalars()
    this.objects = { ...objects((value) => this.throwing(value)), ...inPages() }
  }

  /** Throws `value`, and remembers it. */
  throwing(value: unknown): never {
    this.thrown.add(value)
    throw value
  }

  /** Any hostile value. */
  value(depth = 0): Named {
    const { random } = this
    const kind = random.int(0, 9)
    if (kind < 4) return this.from(this.scalars)
    if (kind < 7) return this.from(this.objects)
    if (kind < 8) return this.function(depth)
    if (depth > 2) return this.from(this.scalars)
    if (kind < 9) {
      const items = random.list(0, 3, () => this.value(depth + 1))
      return { name: `[${items.map(({ name }) => name).join(', ')}]`, value: items.map(({ value }) => value) }
    }
    const entries = random.list(0, 3, () => [random.pick(fieldNames), this.value(depth + 1)] as const)
    return { name: `{${entries.map(([key, { name }]) => `${key}: ${name}`).join(', ')}}`, value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])) }
  }

  /** A value that a message between pages can carry. */
  message(): Named {
    const { name, value } = this.value()
    const seq = this.random.pick([1, 2, 99, 2n, -1, NaN, 1e300, '1'])
    const wrapped = this.random.chance(0.5) ? { name: `{seq: ${String(seq)}, bytes: ${name}}`, value: { seq, bytes: value } } : { name, value }
    try {
      structuredClone(wrapped.value)
      return wrapped
    } catch {
      return { name: `${String(seq)}`, value: seq }
    }
  }

  /** A function that answers or throws something hostile. */
  function(depth = 0): Named<(...args: unknown[]) => unknown> {
    const { name, value } = depth > 2 ? this.from(this.scalars) : this.value(depth + 1)
    const throwing = () => this.throwing(value)
    // Handled here: only a promise of the package that nobody handles is a fault.
    const handled = (promise: Promise<unknown>) => {
      promise.catch(() => {})
      return promise
    }
    const rejecting = () => {
      this.thrown.add(value)
      return handled(Promise.reject(value as Error))
    }
    return this.random.pick<Named<(...args: unknown[]) => unknown>>([
      { name: `() => ${name}`, value: () => this.returned(value) },
      { name: `() => throw ${name}`, value: throwing },
      { name: `async () => ${name}`, value: () => handled((async () => value)()) }, // of a revoked proxy, it rejects
      { name: `() => reject ${name}`, value: rejecting },
    ])
  }

  private returned(value: unknown): unknown {
    try {
      if (isObject(value)) Object.isExtensible(value)
    } catch {
      this.hasReturnedRevoked = true
    }
    return value
  }

  private from(makers: Record<string, Make>): Named {
    const name = this.random.pick(Object.keys(makers))
    return { name, value: makers[name]!() }
  }
}

const fieldNames = ['_id', 'n', 'a', 'a.b', '', '__proto__', '$set', '$in', 'limit', 'sort', 'fields', 'collection', 'storage', 'worker', 'seq', 'bytes', 'then', 'length', 'toJSON', 'name', 'code', 'message', 'select', 'where', 'unique']

function scalars(): Record<string, Make> {
  const values: unknown[] = [undefined, null, true, false, 0, -0, NaN, Infinity, -Infinity, 1.5, -1, 5, 2 ** 31, 2 ** 53, 1e300, 5n, -1n, 2n ** 63n, 2n ** 64n, '', 'x', '\0', '\ud800', 'a..b', '.', '__proto__', 'constructor', '$set', "n = 'x", 'SELECT', 'and', Symbol('s'), Symbol.iterator]
  return {
    ...Object.fromEntries(values.map((value) => [typeof value === 'string' ? JSON.stringify(value) : `${String(value)}${typeof value === 'bigint' ? 'n' : ''}`, () => value])),
    'a path of 32,000 names': () => 'a' + '.a'.repeat(31_999),
    'a long text': () => 'x'.repeat(70_000),
    '5,000 brackets': () => '('.repeat(5000),
    '5,000 nots': () => 'not '.repeat(5000) + 'n = 1',
  }
}

function objects(throwing: (value: unknown) => never): Record<string, Make> {
  const fail = () => throwing(new Error('hostile'))
  const failLikeHost = () => throwing(new TypeError('hostile'))
  const traps = { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail, set: fail, apply: fail, construct: fail, deleteProperty: fail }
  const deep = (levels: number, wrap: (inner: unknown) => unknown) => {
    let value: unknown = 1
    for (let i = 0; i < levels; i++) value = wrap(value)
    return value
  }
  const revoked = (target: object) => {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
  }
  const cycle = <C extends object>(make: (self: C) => void, self: C) => (make(self), self)
  const detached = () => {
    const bytes = new Uint8Array([1, 2, 3])
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    return bytes
  }
  const tagged = (tag: string) => ({ [Symbol.toStringTag]: tag })
  let asked = 0
  return {
    'an object': () => ({ n: 1 }),
    'an array': () => [1],
    'a sparse array': () => Object.assign(new Array<unknown>(5), { 3: 1 }),
    'an array with a hole and a name': () => Object.assign([, 1], { name: 1 }),
    'an array of 200,000': () => new Array(200_000).fill(1),
    'no prototype': () => Object.assign(Object.create(null), { n: 1 }),
    'frozen': () => Object.freeze({ _id: 1, n: Object.freeze([1]) }),
    'an instance': () => new (class Thing { n = 1 })(),
    'a Date': () => new Date(5),
    'an invalid Date': () => new Date(NaN),
    'a RegExp': () => /^a/g,
    'a RegExp with look-ahead': () => /(?=a)/,
    'a Map': () => new Map([[1, 2]]),
    'a Set': () => new Set([1]),
    'a promise': () => Promise.resolve(1),
    'a thenable': () => ({ then: (resolve: (value: unknown) => void) => resolve(1) }),
    'a thenable that throws': () => ({ then: fail }),
    'a getter then that throws': () => ({ get then() { return fail() } }),
    'a class': () => class {},
    'a generator': () => (function* () { yield 1 })(),
    'a proxy that throws': () => new Proxy({}, traps),
    'a proxy of a function that throws': () => new Proxy(() => {}, traps),
    'a proxy that answers all': () => new Proxy(() => {}, { get: (_, name) => (name === 'then' ? undefined : () => 5n) }),
    'a revoked proxy': () => revoked({}),
    'a revoked proxy of an array': () => revoked([]),
    'a revoked proxy of a function': () => revoked(() => {}),
    'a proxy of an array without end': () => new Proxy([], { get: (target, name) => (name === 'length' ? Infinity : Reflect.get(target, name)) }),
    'a proxy of an array of NaN': () => new Proxy([], { get: (target, name) => (name === 'length' ? NaN : Reflect.get(target, name)) }),
    'a proxy of a Date': () => new Proxy(new Date(), {}),
    'a proxy of bytes': () => new Proxy(new Uint8Array(3), {}),
    'a getter that throws': () => ({ _id: 1, get n() { return fail() } }),
    'a getter that throws a TypeError': () => ({ get n() { return failLikeHost() } }),
    'a getter that changes': () => ({ get n() { return asked++ % 2 ? 1 : 5n } }),
    'a toJSON that throws': () => ({ toJSON: fail, n: new (class { toJSON = fail })() }),
    'an instance whose toJSON throws': () => new (class { toJSON() { return fail() } })(),
    'an instance whose toJSON is itself': () => new (class { toJSON() { return this } })(),
    'a toString that throws': () => ({ toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail }),
    'a toStringTag that throws': () => ({ get [Symbol.toStringTag](): string { return fail() } }),
    'a false Date': () => tagged('Date'),
    'a false Uint8Array': () => tagged('Uint8Array'),
    'a false RegExp': () => tagged('RegExp'),
    'a cycle': () => cycle<Record<string, unknown>>((self) => void (self.n = self), { _id: 1 }),
    'a cycle of arrays': () => cycle<unknown[]>((self) => void self.push(self), []),
    'an object of 5,000 levels': () => deep(5000, (inner) => ({ a: inner })),
    'an array of 5,000 levels': () => deep(5000, (inner) => [inner]),
    'a filter of 5,000 levels': () => deep(5000, (inner) => ({ $and: [inner] })),
    'a field of 32,000 names': () => ({ ['a' + '.a'.repeat(31_999)]: 1 }),
    'bytes': () => new Uint8Array([1, 2, 3]),
    'detached bytes': detached,
    'bytes with a length of their own': () => Object.defineProperty(new Uint8Array(3), 'length', { get: fail }),
    'a DataView': () => new DataView(new ArrayBuffer(3)),
    'an ArrayBuffer': () => new ArrayBuffer(3),
    'floats': () => new Float64Array(3),
    'big integers': () => new BigInt64Array(3),
    'an Error': () => new Error('hostile'),
    'an error whose message is a BigInt': () => Object.assign(new Error(), { message: 5n, code: 5n, name: 5n }),
    'an error that cannot be read': () => Object.defineProperties(new Error(), { message: { get: fail }, code: { get: fail }, name: { get: fail } }),
    'an error that calls itself ours': () => Object.assign(new Error('hostile'), { name: 'AtomicDBError', code: 'internal' }),
    'a boxed number': () => new Number(5),
    'a boxed string': () => new String('x'),
    'an async function': () => async () => 1,
  }
}

/** Objects of a page that lead to everything. */
function inPages(): Record<string, Make> {
  if (typeof document === 'undefined') return {}
  return { 'the window': () => globalThis, 'an element': () => document.documentElement }
}
