import type { AtomicDB, AtomicDBError, ThreadSafeDatabase } from '../index.js'
import { loading, type Followed, type State } from './answer.js'

/** A database that hooks can use. */
export type Database<Schema = any> = AtomicDB<Schema> | ThreadSafeDatabase<Schema>

/** An open database, the promise of one, or a function that opens one. */
export type DatabaseSource<Schema = any> = Database<Schema> | PromiseLike<Database<Schema>> | (() => Database<Schema> | PromiseLike<Database<Schema>>)

/**
 * A database that is open, or is being opened. One that a function opens is open while somebody holds it: it is closed a
 * tick after the last has let it go, so that who takes it up again at once, as React's StrictMode does, has the same.
 */
export class Opening<Schema = any> implements Followed<State<Database<Schema>>> {
  private state: State<Database<Schema>> = loading
  private readonly listeners = new Set<() => void>()
  private opened: PromiseLike<Database<Schema>> | undefined
  private holders = 0

  constructor(private readonly source: DatabaseSource<Schema>) {
    if (typeof source === 'function') return
    if ('then' in source) this.follow(source)
    else {
      this.state = open(source)
      this.opened = Promise.resolve(source)
    }
  }

  readonly current = (): State<Database<Schema>> => this.state

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener()
    this.listeners.add(own)
    return () => void this.listeners.delete(own)
  }

  /** Keeps the database open until what it returns is called. */
  readonly hold = (): (() => void) => {
    this.holders++
    if (!this.opened) this.open()
    return () => {
      this.holders--
      setTimeout(() => this.holders === 0 && this.close())
    }
  }

  /** Opens the database, if it is not open, for somebody who may hold it later. */
  readonly ready = (): PromiseLike<Database<Schema>> => {
    if (!this.opened) setTimeout(this.hold(), holdTime)
    return this.opened!
  }

  private open(): void {
    try {
      this.follow(Promise.resolve((this.source as () => Database<Schema> | PromiseLike<Database<Schema>>)()))
    } catch (error) {
      this.follow(Promise.reject(error as Error))
    }
  }

  private follow(opened: PromiseLike<Database<Schema>>): void {
    this.opened = opened
    const become = (state: State<Database<Schema>>) => {
      if (this.opened === opened) this.become(state)
    }
    opened.then(
      (data) => become(open(data)),
      (error: AtomicDBError) => become({ data: undefined, error, isLoading: false }),
    )
  }

  private become(state: State<Database<Schema>>): void {
    this.state = state
    for (const listener of [...this.listeners]) listener()
  }

  private close(): void {
    const { opened } = this
    if (typeof this.source !== 'function' || !opened) return
    this.opened = undefined
    this.become(loading)
    opened.then((db) => db.close(), () => {}) // who opens it has been told why it could not be opened
  }
}

/** The state with an open database. What it writes is counted from now on, before a component asks for that. */
function open<Schema>(data: Database<Schema>): State<Database<Schema>> {
  void data.writeStatus.current
  return { data, error: undefined, isLoading: false }
}

/** How long a database stays open for what is rendered when it is, in milliseconds. */
const holdTime = 10_000

const openings = new WeakMap<object, Opening>()

/** The opening of what is not opened here: always the same for the same database. */
export function openingOf<Schema>(source: Exclude<DatabaseSource<Schema>, () => unknown>): Opening<Schema> {
  let opening = openings.get(source)
  if (!opening) openings.set(source, (opening = new Opening(source)))
  return opening
}
