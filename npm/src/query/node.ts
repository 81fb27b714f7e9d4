/** @internal Operators that compare the value at a path with one other. */
export type Comparison = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'contains' | 'startsWith' | 'matches'

/** @internal A condition as the engine reads it. */
export type Node =
  | readonly ['true']
  | readonly ['false']
  | readonly ['and' | 'or', ...Node[]]
  | readonly ['not', Node]
  | readonly [Comparison, path: string, value: unknown]
  | readonly ['between', path: string, low: unknown, high: unknown]
  | readonly ['in' | 'notIn', path: string, values: readonly unknown[]]
  | readonly ['exists', path: string, yes: boolean]
  | readonly ['type', path: string, name: string]
  | readonly ['size', path: string, length: number]
  | readonly ['any', path: string, element: Node]
