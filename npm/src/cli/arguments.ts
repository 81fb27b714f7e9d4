import { parseArgs } from 'node:util'

/** What is wrong with how a command was called. */
export class UsageError extends Error {}

/** An option of a command. */
export interface Option {
  readonly short?: string
  /** What its value is called in the help. Left out: it has none. */
  readonly value?: string
  readonly help: string
}

/** The arguments of a command, and the values of its options by name; '' for one without a value. */
export interface Given {
  readonly names: readonly string[]
  readonly options: Readonly<Record<string, string | undefined>>
}

/** What `atomicdb` can do. */
export interface Command {
  /** Names of its arguments: <needed> or [optional]; … says that there may be more of the last. */
  readonly arguments: readonly string[]
  readonly summary: string
  /** More, for its own help. */
  readonly about?: string
  readonly options: Readonly<Record<string, Option>>
  /** Resolves to the exit code; undefined is 0. */
  run(given: Given): Promise<number | void>
}

/** Reads what was given to a command. Throws a {@link UsageError} for what it does not take. */
export function parsed(name: string, { arguments: wanted, options }: Command, args: readonly string[]): Given {
  const known = Object.fromEntries(Object.entries(options).map(([name, { short, value }]) => [name, { type: value ? ('string' as const) : ('boolean' as const), ...(short && { short }) }]))
  let values: Record<string, unknown>
  let names: string[]
  try {
    ;({ values, positionals: names } = parseArgs({ args: [...args], options: known, allowPositionals: true }))
  } catch (error) {
    throw new UsageError((error as Error).message.split('. To specify')[0]!) // the rest is about names that begin with -
  }
  const needed = wanted.filter((argument) => argument.startsWith('<'))
  if (names.length < needed.length) throw new UsageError(`${name}: ${needed[names.length]} is missing`)
  if (names.length > wanted.length && !wanted.at(-1)?.includes('…')) throw new UsageError(`${name}: ${JSON.stringify(names[wanted.length])} is one argument too many`)
  return { names, options: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === true ? '' : (value as string)])) }
}

/** The value of an option that is one of a list. */
export function oneOf<Name extends string>({ options }: Given, option: string, allowed: readonly Name[], otherwise: Name): Name {
  const value = options[option] ?? otherwise
  if (!allowed.includes(value as Name)) throw new UsageError(`--${option}: expected ${allowed.join(', ')}, not ${JSON.stringify(value)}`)
  return value as Name
}

/** The value of an option that is a whole number. */
export function countOf({ options }: Given, option: string): number | undefined {
  const value = options[option]
  if (value === undefined) return undefined
  if (!/^\d+$/.test(value)) throw new UsageError(`--${option}: expected a whole number, not ${JSON.stringify(value)}`)
  return Number(value)
}
