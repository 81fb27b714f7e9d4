import { useState } from 'react'
import { keyOf, keyOfWhere } from '../hooks/key.js'

let instances = 0

/** The key of a condition. A function has one of its own in each component, which changes when its `deps` do. */
export function useWhereKey(where: unknown, deps: readonly unknown[] | undefined): string {
  const [own] = useState(() => ({ instance: ++instances, functions: new Functions() }))
  if (typeof where === 'function' && deps) return `component ${own.instance} ${keyOf(deps)}`
  own.functions.note(where)
  return keyOfWhere(where)
}

const suspended = new Map<string, Functions>() // by text

/** As {@link useWhereKey}, for a component that may suspend: React forgets the state of one that has not been shown yet. */
export function whereKey(where: unknown): string {
  if (typeof where === 'function') {
    const text = String(where)
    const functions = suspended.get(text) ?? new Functions()
    suspended.set(text, functions)
    functions.note(where)
  }
  return keyOfWhere(where)
}

/** More functions in a second than this are made by a loop: each is asked, and the answer renders the next one. */
const maxFunctions = 20

const warned = new Set<string>()

/** The functions that a component has had as condition. */
class Functions {
  private last: unknown
  private readonly times: number[] = [] // of the last functions

  note(where: unknown): void {
    if (typeof where !== 'function' || where === this.last) return
    this.last = where
    const now = Date.now()
    if (this.times.push(now) <= maxFunctions || now - this.times.shift()! > 1000 || warned.has(String(where))) return
    warned.add(String(where))
    console.warn(`atomicdb/react: a condition is another function in each render, and is asked in each: make it outside of the component, or give the option deps: ${where}`)
  }
}
