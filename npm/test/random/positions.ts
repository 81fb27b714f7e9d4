import type { Random } from './random.js'
import { meets } from './meaning.js'
import { applied, Misfit, type Update } from './updates.js'
import type { Plain } from './values.js'

// Updates whose paths have $, $[] and $[name], and what they mean in plain JavaScript: the update with positions in
// their place.

/** A document with arrays of numbers, of objects, and of arrays inside these. */
export function listed(random: Random): Plain {
  const numbers = () => random.list(0, 4, () => random.int(0, 5))
  return { list: numbers(), items: random.list(0, 4, () => ({ n: random.int(0, 5), k: random.pick(['a', 'b']), inner: numbers() })) }
}

/** What an update is about: its condition has one comparison with elements, so that all agree on which of them $ is. */
export interface Positional {
  readonly where: Plain
  readonly update: Update
  readonly arrayFilters: Plain[]
}

type Comparison = readonly [path: string, operator: '$eq' | '$gt' | '$lt', bound: unknown]

export function positional(random: Random): Positional & { holds: (element: unknown, name: string) => boolean; asked: Comparison } {
  const compared = (path: string): Comparison => [path, random.pick(['$eq', '$gt', '$lt'] as const), path.endsWith('k') ? random.pick(['a', 'b']) : random.int(0, 5)]
  const asked = random.pick([compared('list'), compared('items.n'), compared('items.k')])
  const filters = new Map<string, Comparison>()
  const named = (path: string, name: string) => {
    if (!filters.has(name)) filters.set(name, compared(path))
    return `$[${name}]`
  }
  const ofItems = () => random.pick([`items.${random.pick(['$', '$[]', named('.n', 'item')])}.n`, `items.${random.pick(['$[]', '$'])}.inner.${random.pick(['$[]', named('', 'deep')])}`])
  const array = () => `items.${random.pick(['$', '$[]', named('.k', 'other')])}.inner`
  // One path of each field: two are a conflict to mingo.
  const paths = [`list.${random.pick(['$', '$[]', named('', 'x')])}`, ofItems()].filter(() => random.chance(0.6))
  const steps: Record<string, Plain> = {}
  for (const path of paths) {
    const [operator, operand] = random.pick([['$inc', 1], ['$mul', 3], ['$set', 9], ['$min', 2], ['$max', 3]] as [string, number][])
    steps[operator] = { ...steps[operator], [path]: operand }
  }
  if (!paths.join().includes('items')) steps.$push = { [array()]: 7 }
  const used = JSON.stringify(steps)
  const arrayFilters = [...filters].filter(([name]) => used.includes(`[${name}]`)).map(([name, [path, operator, bound]]) => ({ [`${name}${path}`]: { [operator]: bound } }))
  const holds = (element: unknown, name: string) => {
    const [path, operator, bound] = filters.get(name)!
    return meets({ e: element }, [operator.slice(1) as 'eq', `e${path}`, bound])
  }
  return { where: { [asked[0]]: { [asked[1]]: asked[2] } }, update: steps, arrayFilters, holds, asked }
}

/**
 * The document after such an update.
 * @throws Misfit
 */
export function placed(document: Plain, { update, holds, asked }: ReturnType<typeof positional>): Plain {
  let result = document
  for (const [operator, fields] of Object.entries(update)) {
    for (const [path, operand] of Object.entries(fields as Plain)) {
      for (const place of placesOf(document, path.split('.'), [])) result = applied(result, { [operator]: { [place.join('.')]: operand } })
    }
  }
  return result

  function placesOf(value: unknown, [name, ...rest]: string[], before: string[]): string[][] {
    if (name === undefined) return [before]
    if (!name.startsWith('$')) return placesOf((value as Plain)[name], rest, [...before, name])
    const elements = value as unknown[]
    if (name === '$') {
      const [path, operator, bound] = asked
      const below = path.split('.').slice(before.length).join('.')
      const at = before.join('.') === path.split('.')[0] ? elements.findIndex((element) => meets({ e: element }, [operator.slice(1) as 'eq', below ? `e.${below}` : 'e', bound])) : -1
      if (at < 0) throw new Misfit('$ stands for nothing')
      return placesOf(elements[at], rest, [...before, String(at)])
    }
    const positions = elements.flatMap((element, n) => (name === '$[]' || holds(element, name.slice(2, -1)) ? [n] : []))
    return positions.flatMap((n) => placesOf(elements[n], rest, [...before, String(n)]))
  }
}
