// The operators of conditions, as engine/query/operators.go lists them. Written by
// `go test ./engine/query -run TestTypeScriptTwin -update`: edit that list, not this file.

/**
 * What each operator takes after the path, how it is written in a text, and the name of the
 * operator that holds exactly where it does not, if there is one.
 */
export const operators = {
  eq: ['value', '=', 'ne'],
  ne: ['value', '!='],
  gt: ['value', '>'],
  gte: ['value', '>='],
  lt: ['value', '<'],
  lte: ['value', '<='],
  between: ['ends', 'between'],
  in: ['list', 'in', 'notIn'],
  notIn: ['list', 'not in'],
  matches: ['pattern', 'matches'],
  startsWith: ['text', 'startsWith'],
  contains: ['value', 'contains'],
  exists: ['yes', 'exists'],
  type: ['type', 'type'],
  mod: ['value', 'mod'],
  bitsAllSet: ['value', 'bitsAllSet'],
  bitsAnySet: ['value', 'bitsAnySet'],
  bitsAllClear: ['value', 'bitsAllClear'],
  bitsAnyClear: ['value', 'bitsAnyClear'],
  any: ['condition', 'any'],
  size: ['size', 'size'],
} as const

/** The name of an operator. */
export type Operator = keyof typeof operators

/** The names of the operators that take any of `T`. */
export type Taking<T extends (typeof operators)[Operator][0]> = { [O in Operator]: (typeof operators)[O][0] extends T ? O : never }[Operator]

/** The types that `type` knows. */
export const types = ['int', 'float', 'number', 'str', 'bool', 'list', 'dict', 'null', 'bytes', 'date']
