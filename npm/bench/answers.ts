import type { Person } from './people.js'

/** Throws unless the numbers are equal. */
export function same(got: number, expected: number): void {
  if (got !== expected) throw new Error(`wrong answer: ${got} instead of ${expected}`)
}

/** Throws unless both hold the same people, in any order. */
export function sameById(got: readonly Person[], expected: readonly Person[]): void {
  if (got.length !== expected.length) throw new Error(`wrong answer: ${got.length} people instead of ${expected.length}`)
  const byId = new Map(got.map((person) => [person._id, person]))
  for (const person of expected) samePerson(byId.get(person._id), person)
}

/** Throws unless `got` is the first `limit` of `people` in this order. People that compare equal may come in any order. */
export function sameOrder(got: readonly Person[], people: readonly Person[], compare: (a: Person, b: Person) => number, limit: number): void {
  const ids = new Set(got.map((person) => person._id))
  const byId = new Map<string, Person>()
  const expected: Person[] = [] // in order; all people need not be sorted for a few
  for (const person of people) {
    if (ids.has(person._id)) byId.set(person._id, person)
    if (expected.length === limit && compare(person, expected.at(-1)!) >= 0) continue
    const at = expected.findIndex((other) => compare(person, other) < 0)
    expected.splice(at === -1 ? expected.length : at, 0, person)
    expected.length = Math.min(expected.length, limit)
  }
  same(got.length, expected.length)
  for (const [n, person] of got.entries()) {
    samePerson(person, byId.get(person._id))
    if (compare(person, expected[n]!) !== 0) throw new Error(`wrong order: ${person._id} as number ${n} instead of ${expected[n]!._id}`)
    byId.delete(person._id)
  }
}

/** A list of the person, or an empty one. */
export const gather = (person: Person | undefined): Person[] => (person ? [person] : [])

/** Compares the fields of a person only: LokiJS adds two fields to each document it stores. */
function samePerson(got: Person | undefined, expected: Person | undefined): void {
  const [a, b] = [got && text(got), expected && text(expected)]
  if (a !== b) throw new Error(`wrong answer: ${a} instead of ${b}`)
}

const text = ({ _id, name, age, email, active, tags, address: { city, zip }, score, bio }: Person) =>
  JSON.stringify([_id, name, age, email, active, tags, city, zip, score, bio])
