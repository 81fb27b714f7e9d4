import type { Random } from './random.js'
import { compare, isMap, meets, sorted } from './meaning.js'
import { path, scalar, value, type Plain } from './values.js'

/** An update as AtomicDB takes it: fields to merge, or operators. */
export type Update = Record<string, unknown>

/** Says that an update does not fit a document; the whole update must then be refused. */
export class Misfit extends Error {}

const operators = ['$set', '$unset', '$inc', '$mul', '$bit', '$min', '$max', '$push', '$addToSet', '$pop', '$pull', '$pullAll', '$rename', '$setOnInsert'] as const

/** An update of any kind, whose paths and values may fit a document or not. */
export function update(random: Random): Update {
  if (random.chance(0.25)) return Object.fromEntries(random.list(1, 3, () => [path(random), value(random, 2)]))
  const steps: Update = {}
  for (let count = random.int(1, 2); count > 0; count--) {
    const operator = random.pick(operators)
    steps[operator] = Object.fromEntries(random.list(1, 2, () => [path(random), operand(random, operator)]))
  }
  return steps
}

function operand(random: Random, operator: (typeof operators)[number]): unknown {
  switch (operator) {
    case '$inc':
    case '$mul':
      return random.pick([1, -1, 0.5, 100, 0])
    case '$bit':
      return { [random.pick(['and', 'or', 'xor'])]: random.pick([0, 1, 6, -1, 2 ** 40]) }
    case '$pop':
      return random.pick([1, -1])
    case '$pullAll':
      return random.list(0, 3, () => value(random, 1))
    case '$addToSet':
      return random.chance(0.5) ? { $each: random.list(0, 3, () => value(random, 1)) } : value(random, 1)
    case '$push':
      return random.chance(0.5) ? { $each: random.list(0, 3, () => value(random, 1)), ...modifiers(random, { $position: random.int(-4, 4), $slice: random.int(-4, 4), $sort: random.pick([1, -1, { a: 1 }, { 'b.0': -1, a: 1 }]) }) } : value(random, 1)
    case '$pull':
      return random.chance(0.3) ? { [random.pick(['$gte', '$lt'])]: scalar(random) } : scalar(random)
    case '$rename':
      return path(random)
    default:
      return value(random, 2)
  }
}

/** Some modifiers of a $push, in any order. */
function modifiers(random: Random, all: Plain): Plain {
  const names = Object.keys(all).filter(() => random.chance(0.5))
  if (random.chance(0.5)) names.reverse()
  return Object.fromEntries(names.map((name) => [name, all[name]]))
}

/**
 * A document after the update, in plain JavaScript.
 * @throws Misfit
 */
export function applied(document: Plain, update: Update, isNew = false): Plain {
  const result = structuredClone(document)
  const isOperators = Object.keys(update).some((name) => name.startsWith('$'))
  for (const [operator, fields] of Object.entries(isOperators ? update : { $set: update })) {
    if (operator === '$setOnInsert' && !isNew) continue
    for (const [path, operand] of Object.entries(fields as Plain)) apply(result, operator, path.split('.'), operand)
  }
  return result
}

function apply(document: Plain, operator: string, path: string[], operand: unknown): void {
  if (operator === '$rename') {
    const to = (operand as string).split('.')
    const found = lookup(document, path)
    if (found === undefined) return
    if (crossesArray(document, path) || crossesArray(document, to)) throw new Misfit('$rename and arrays')
    edit(document, path, () => undefined)
    edit(document, to, () => found)
    return
  }
  edit(document, path, (old) => changed(operator, old, structuredClone(operand)))
}

/**
 * Says whether an update fits no document at all.
 * @throws Misfit
 */
export function check(update: Update): void {
  for (const [from, to] of Object.entries((update.$rename ?? {}) as Record<string, string>)) {
    if (`${to}.`.startsWith(`${from}.`) || `${from}.`.startsWith(`${to}.`)) throw new Misfit('$rename to itself, into itself or out of itself')
  }
}

/**
 * The document that an upsert adds where nothing meets these equalities.
 * @throws Misfit
 */
export function added(equalities: readonly (readonly [path: string, value: unknown])[], update: Update): Plain {
  const base: Plain = {}
  for (const [path, value] of equalities) {
    const isMet = equalities.every(([other, otherValue]) => !`${path}.`.startsWith(`${other}.`) || (path === other && compare(value, otherValue) === 0))
    if (!isMet) throw new Misfit('two values for one place')
    edit(base, path.split('.'), () => structuredClone(value))
  }
  return applied(base, update, true)
}

/** The new value of a field; undefined to have none. */
function changed(operator: string, old: unknown, operand: unknown): unknown {
  switch (operator) {
    case '$set':
    case '$setOnInsert':
      return operand
    case '$unset':
      return undefined
    case '$min':
      return old === undefined || compare(operand, old) < 0 ? operand : old
    case '$max':
      return old === undefined || compare(operand, old) > 0 ? operand : old
    case '$inc':
      if (old === undefined) return operand
      if (typeof old === 'bigint' && Number.isInteger(operand)) return exact(old + BigInt(operand as number))
      if (typeof old !== 'number' && typeof old !== 'bigint') throw new Misfit(`$inc of ${String(old)}`)
      return Number(old) + (operand as number)
    case '$mul':
      if (old === undefined) return 0
      if (typeof old === 'bigint' && Number.isInteger(operand)) return exact(old * BigInt(operand as number))
      if (typeof old !== 'number' && typeof old !== 'bigint') throw new Misfit(`$mul of ${String(old)}`)
      return isWhole(old) && isWhole(operand) ? Number(old) * (operand as number) + 0 : Number(old) * (operand as number) // no integer is -0
    case '$bit': {
      const before = old ?? 0
      if (typeof before !== 'bigint' && !Number.isInteger(before)) throw new Misfit(`$bit of ${String(old)}`)
      const [x, [[name, y]]] = [BigInt(before as number), Object.entries(operand as Record<string, number>) as [[string, number]]]
      if (old === null || BigInt.asIntN(64, x) !== x) throw new Misfit(`$bit of ${String(old)}`)
      return exact(name === 'and' ? x & BigInt(y) : name === 'or' ? x | BigInt(y) : x ^ BigInt(y))
    }
    case '$addToSet': {
      const list = old === undefined ? [] : old
      if (!Array.isArray(list)) throw new Misfit('$addToSet into no array')
      const set = [...list]
      for (const element of isMap(operand) && Array.isArray(operand.$each) ? operand.$each : [operand]) {
        if (!set.some((other) => compare(other, element) === 0)) set.push(element)
      }
      return set
    }
    case '$pop':
      if (old === undefined) return undefined
      if (!Array.isArray(old)) throw new Misfit('$pop from no array')
      return operand === 1 ? old.slice(0, -1) : old.slice(1)
    case '$pullAll':
      if (old === undefined) return undefined
      if (!Array.isArray(old)) throw new Misfit('$pullAll from no array')
      return old.filter((element) => !(operand as unknown[]).some((other) => compare(other, element) === 0))
    case '$push': {
      const list = old === undefined ? [] : old
      if (!Array.isArray(list)) throw new Misfit('$push into no array')
      return isMap(operand) && Array.isArray(operand.$each) ? pushed(list, operand.$each, operand) : [...list, operand]
    }
    case '$pull': {
      if (old === undefined) return undefined
      if (!Array.isArray(old)) throw new Misfit('$pull from no array')
      const pulled = (element: unknown) => {
        if (!isMap(operand)) return compare(element, operand) === 0
        const [[operator, bound]] = Object.entries(operand) as [[string, unknown]]
        return meets(element, [operator.slice(1) as 'gte' | 'lt', '', bound])
      }
      return old.filter((element) => !pulled(element))
    }
  }
  throw new Error(`no operator: ${operator}`)
}

const isWhole = (value: unknown) => Number.isInteger(value) && !Object.is(value, -0)

/** An integer of 64 bits stays one. */
function exact(sum: bigint): number | bigint {
  if (BigInt.asIntN(64, sum) !== sum) throw new Misfit(`${sum} is no integer of 64 bits`)
  return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum
}

/** A list after a $push with modifiers. */
function pushed(list: unknown[], each: unknown[], { $position = list.length, $sort, $slice }: { $position?: number; $sort?: 1 | -1 | Plain; $slice?: number }): unknown[] {
  const at = $position < 0 ? Math.max(0, list.length + $position) : $position
  const all = [...list.slice(0, at), ...each, ...list.slice(at)]
  if (typeof $sort === 'number') all.sort((a, b) => $sort * compare(a, b))
  else if ($sort) all.splice(0, all.length, ...sorted(all, Object.entries($sort).map(([path, direction]) => [path, direction === -1] as const)))
  if ($slice === undefined) return all
  return $slice < 0 ? all.slice($slice) : all.slice(0, $slice)
}

/** Whether the path leads into an array. */
function crossesArray(value: unknown, path: string[]): boolean {
  for (const name of path) {
    if (Array.isArray(value)) return true
    value = isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return false
}

/** Puts what `change` makes of the value at the path there. Maps on the way are made, unless nothing is put into them. */
function edit(container: unknown, [name, ...rest]: string[], change: (old: unknown) => unknown): void {
  if (name === undefined) throw new Error('no path')
  if (Array.isArray(container)) {
    if (!/^\d+$/.test(name)) throw new Misfit(`${name} is no position`)
    const position = Number(name)
    const fresh = below(container[position], rest, change)
    if (fresh === undefined && position >= container.length) return
    while (container.length < position) container.push(null)
    container[position] = fresh === undefined ? null : fresh // positions do not shift
  } else if (isMap(container)) {
    const fresh = below(Object.hasOwn(container, name) ? container[name] : undefined, rest, change)
    if (fresh === undefined) delete container[name]
    else container[name] = fresh
  } else {
    throw new Misfit(`${name} inside ${String(container)}`)
  }
}

function below(old: unknown, rest: string[], change: (old: unknown) => unknown): unknown {
  if (rest.length === 0) return change(old)
  const container = old === undefined ? {} : old
  edit(container, rest, change)
  return old === undefined && Object.keys(container as Plain).length === 0 ? undefined : container
}

/** The value at the path, through arrays by position only. */
function lookup(value: unknown, path: string[]): unknown {
  for (const name of path) {
    if (Array.isArray(value) && /^\d+$/.test(name)) value = value[Number(name)]
    else if (isMap(value) && Object.hasOwn(value, name)) value = value[name]
    else return undefined
  }
  return value
}

/** A document whose fields have one kind each, or are missing: for {@link fittingUpdate}. */
export function typedDocument(random: Random): Plain {
  const fields: Plain = {}
  const put = (to: Plain, name: string, make: () => unknown) => {
    if (random.chance(0.8)) to[name] = make()
  }
  const level = (to: Plain) => {
    put(to, 'n', () => random.int(-5, 5))
    put(to, 'm', () => random.int(0, 8) / 4)
    put(to, 's', () => random.pick(['', 'a', 'b', 'é']))
    // No arrays inside: mingo's $pull looks into them.
    put(to, 'list', () => random.list(0, 4, () => random.pick([1, 2, 3, 'a', 'b'])))
  }
  level(fields)
  put(fields, 'inner', () => {
    const inner: Plain = {}
    level(inner)
    return inner
  })
  return fields
}

/** An update that fits every {@link typedDocument}, and means to mingo what it means to AtomicDB. $addToSet does not. */
export function fittingUpdate(random: Random): Update {
  const steps: Record<string, Plain> = {}
  // Each path once: two operators on one path are a conflict to mingo.
  for (const path of ['n', 'm', 's', random.pick(['list', 'list.0']), 'inner.n', 'inner.m', 'inner.s', 'inner.list', 'none.s']) {
    if (random.chance(0.5)) continue
    const [operator, operand] = fitting(random, path)
    steps[operator] = { ...steps[operator], [path]: operand }
  }
  return Object.keys(steps).length > 0 ? steps : { $set: { n: 1 } }
}

function fitting(random: Random, path: string): [operator: string, operand: unknown] {
  const name = path.split('.').at(-1)
  if (path === 'list.0') return random.pick([['$set', 9], ['$unset', '']])
  if (random.chance(0.2)) return ['$set', random.pick([1, 'x', [1, 2], { k: 1 }, null, false])]
  if (random.chance(0.15)) return ['$unset', '']
  if (random.chance(0.1)) return ['$rename', `${path.replaceAll('.', '_')}_renamed`]
  if (name === 'n' && random.chance(0.2)) return ['$bit', { [random.pick(['and', 'or', 'xor'])]: random.pick([1, 6]) }]
  if (name === 'n' || name === 'm') {
    if (random.chance(0.2)) return ['$mul', random.pick([0.25, 2, 7])] // 0 times -3 is -0 to mingo
    return [random.pick(['$inc', '$min', '$max']), random.pick([-3, 0.25, 2, 7])]
  }
  if (name === 'list') return random.pick([['$push', 4], ['$push', { $each: ['a', 5] }], ['$push', { $each: [1, 3], ...modifiers(random, { $position: random.int(1, 3), $slice: random.pick([-3, -2, 2, 3]) }) }], ['$pop', 1], ['$pop', -1], ['$pullAll', [1, 'b', 9]], ['$pull', 'a'], ['$pull', 2], ['$pull', { $gte: 2 }], ['$pull', { $in: [1, 'b'] }]])
  return [random.pick(['$min', '$max', '$set']), random.pick(['', 'aa', 'z'])]
}
