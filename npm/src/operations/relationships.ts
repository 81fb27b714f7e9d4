import { checkNames } from '../checks.js'
import type { Write } from '../connection/calls.js'
import { Op } from '../engine/ops.js'
import { describe, invalid } from '../errors.js'
import { command } from './writes.js'

const fields = ['name', 'type', 'from', 'to', 'foreignKey', 'onDelete', 'enforce'] as const

/** Declares a relationship. The engine checks what its fields say. */
export function addRelationship(given: unknown): Write<void> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid(`relationship: expected an object, not ${describe(given)}`)
  checkNames('relationship', 'property', given, fields)
  const relationship: Record<string, unknown> = { type: '', from: '', to: '', foreignKey: '' } // what is missing is named as wrong
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (typeof value !== (name === 'enforce' ? 'boolean' : 'string')) throw invalid(`relationship.${name}: expected ${name === 'enforce' ? 'true or false' : 'a string'}, not ${describe(value)}`)
    relationship[name] = value
  }
  return command(Op.addRelationship, [relationship])
}

/** Removes a relationship by its name. */
export function removeRelationship(name: unknown): Write<void> {
  if (typeof name !== 'string') throw invalid(`name: expected a string, not ${describe(name)}`)
  return command(Op.removeRelationship, [name])
}
