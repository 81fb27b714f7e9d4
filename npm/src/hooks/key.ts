/**
 * What a value means, as text: equal for values that say the same. Conditions of the builder are as their text is;
 * functions, and objects of classes, are equal to themselves alone.
 */
export function keyOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'function':
      return `#${numberOf(value)}`
    case 'object':
      return value === null ? 'null' : keyOfObject(value)
  }
  return Object.is(value, -0) ? '-0' : String(value)
}

function keyOfObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`
  if (value instanceof Date) return `date ${value.getTime()}`
  if (value instanceof Uint8Array) return `bytes ${value.join()}`
  if (value instanceof RegExp) return String(value)
  const tag = Object.prototype.toString.call(value)
  if (tag !== '[object Object]') return `#${numberOf(value)}`
  const { toString } = value as { toString?: unknown }
  // Only a condition says more than an object does.
  if (typeof toString === 'function' && toString !== Object.prototype.toString && !Object.hasOwn(value, 'toString')) return keyOf(String(value))
  return fieldsKey(Object.keys(value), value)
}

function fieldsKey(names: readonly string[], of: object): string {
  return `{${names.map((name) => `${JSON.stringify(name)}:${keyOf((of as Record<string, unknown>)[name])}`).join()}}`
}

/** The key of a condition. The parts of a filter may come in any order. */
export function keyOfWhere(where: unknown): string {
  if (typeof where !== 'object' || where === null) return keyOf(where)
  const key = keyOf(where)
  return key.startsWith('{') ? fieldsKey(Object.keys(where).sort(), where) : key
}

/** The key of the options of a query. Those that are undefined are as those that are left out. */
export function keyOfOptions(options: object | undefined): string {
  const given = (options ?? {}) as Record<string, unknown>
  const names = Object.keys(given).filter((name) => given[name] !== undefined)
  return fieldsKey(names.sort(), { ...given, sort: sortOf(given.sort) })
}

/** The option `sort` as an array of paths, whatever way it is written. */
function sortOf(sort: unknown): unknown {
  if (typeof sort === 'string') return [sort]
  if (typeof sort !== 'object' || sort === null || Array.isArray(sort)) return sort
  return Object.entries(sort).map(([path, direction]) => (direction === 'desc' || direction === -1 ? `-${path}` : direction === 'asc' || direction === 1 ? path : [path, direction]))
}

const numbers = new WeakMap<object, number>()
let lastNumber = 0

function numberOf(object: object): number {
  let number = numbers.get(object)
  if (number === undefined) numbers.set(object, (number = ++lastNumber))
  return number
}
