import { compare } from './compare.js'
import { isMap, namesOf } from './paths.js'

/**
 * The value that the engine sorts `document` by, undefined for none: of an array, and of several values that `path`
 * reaches, the least, or the greatest if `descending`.
 */
export function sortValue(document: unknown, path: string, descending: boolean): unknown {
  let found: unknown
  let isFirst = true
  const take = (value: unknown) => {
    const order = isFirst ? 0 : compare(value, found)
    if (isFirst || (descending ? order > 0 : order < 0)) found = value
    isFirst = false
  }
  const end = (value: unknown, isElement: boolean) => {
    if (Array.isArray(value) && !isElement) value.forEach(take)
    else take(value)
  }
  reach(document, namesOf(path), 0, false, end)
  return found
}

/** Calls `end` with the value at the end of each way, undefined where a way ends without one. */
function reach(value: unknown, names: string[], depth: number, isElement: boolean, end: (value: unknown, isElement: boolean) => void): void {
  for (; depth < names.length; depth++) {
    if (Array.isArray(value)) return reachInside(value, names, depth, end)
    const name = names[depth]!
    if (!isMap(value) || !Object.hasOwn(value, name)) return end(undefined, false)
    value = value[name]
    isElement = false
  }
  end(value, isElement)
}

/** Goes both ways through an array: to one position, and into each element that has fields. */
function reachInside(array: unknown[], names: string[], depth: number, end: (value: unknown, isElement: boolean) => void): void {
  for (const [i, element] of array.entries()) {
    const isLast = depth === names.length - 1
    if (names[depth] === String(i) && (isLast || isMap(element) || Array.isArray(element))) reach(element, names, depth + 1, true, end)
    if (isMap(element)) reach(element, names, depth, false, end)
  }
}
