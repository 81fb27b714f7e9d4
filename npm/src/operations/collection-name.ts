import { checkName } from '../checks.js'

/** The name of a collection, which the engine checks further. */
export function collectionName(name: unknown): string {
  checkName('collection', name)
  return name
}
