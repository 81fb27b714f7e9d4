import { AtomicDBError, type WriteStatus } from '../index.js'
import { Opening, openingOf, type DatabaseSource } from './opening.js'

/** Whether this renders pages for others, and not for who looks at it. */
export function isServer(): boolean {
  return typeof document === 'undefined'
}

/** The opening of the database that an app is given. A function is called when somebody holds it. */
export function openingFor(source: DatabaseSource<any>): Opening {
  return typeof source === 'function' ? new Opening(source) : openingOf(source)
}

const nowhere = new Opening<any>(() => new Promise<never>(() => {}))

/**
 * The opening that components use. On a server, and if what they ask is about a collection, which has a database, they need
 * none: then it is one that never ends.
 *
 * @param how Says how they get one.
 * @throws `invalid`
 */
export function needed(opening: Opening | undefined, how: string, of?: unknown): Opening {
  if (opening) return opening
  if (isServer() || isCollection(of)) return nowhere
  throw new AtomicDBError('invalid', `these components have no database: ${how}`)
}

function isCollection(of: unknown): boolean {
  return typeof of === 'object' && of !== null && 'calls' in of
}

/** The status of the writes of a database that there is none of. */
export const saved: WriteStatus = { status: 'saved', error: undefined }

/** Tells the status of the writes of a database, at once and whenever it is another one, until what comes back is called. */
export function followWrites(opening: Opening, tell: (status: WriteStatus) => void): () => void {
  let stop = () => {}
  const follow = () => {
    stop()
    const db = opening.current().data
    if (!db) tell(saved)
    stop = db?.writeStatus.subscribe(tell) ?? (() => {})
  }
  const stopOpening = opening.subscribe(follow)
  follow()
  return () => {
    stopOpening()
    stop()
  }
}
