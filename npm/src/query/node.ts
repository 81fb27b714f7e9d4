import type { Taking } from './operators.js'

/** @internal A condition as the engine reads it. */
export type Node =
  | readonly ['true']
  | readonly ['false']
  | readonly ['and' | 'or', ...Node[]]
  | readonly ['not', Node]
  | readonly [Taking<'value' | 'text' | 'pattern'>, path: string, value: unknown]
  | readonly [Taking<'ends'>, path: string, low: unknown, high: unknown]
  | readonly [Taking<'list'>, path: string, values: readonly unknown[]]
  | readonly [Taking<'yes'>, path: string, yes: boolean]
  | readonly [Taking<'type'>, path: string, name: string]
  | readonly [Taking<'size'>, path: string, length: number]
  | readonly [Taking<'condition'>, path: string, element: Node]
