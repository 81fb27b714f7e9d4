import { Op } from '../engine/ops.js'
import { arrivalOf, type Bridge } from '../engine/bridge.js'
import { readingError, type AtomicDBError } from '../errors.js'
import { noArguments, type EngineCall, type EngineCalls } from './engine-calls.js'
import type { Edit, LiveListener, LiveQuestion, LiveUpdate } from './live.js'

/** The database that a hub is of. */
export interface HubEngine extends EngineCalls {
  /** A promise for which reads wait; undefined if they need not. */
  readonly settling: Promise<void> | undefined
  /** The version of the database as reads from outside a transaction see it, which is how the engine is then. */
  readonly versionOutside: number
  /** Runs what can be run again; see {@link Bridge.patiently}. */
  patiently<R>(work: () => R): R
  /** See {@link Bridge.checkThere}. */
  checkThere(op: Op): void
  /** Why the engine does not run any more; undefined if it does. */
  readonly ended: AtomicDBError | undefined
}

interface Entry {
  readonly id: number
  readonly question: LiveQuestion
  readonly listener: LiveListener
  /** By which the engine calls it; 0 if the engine does not know of it. */
  handle: number
}

/** What the op liveChanges tells of one question: nothing but that it has to be asked again, a count, an answer, or edits. */
type Told = null | number | readonly [unknown] | readonly Edit[]

/**
 * The live questions of a database whose engine runs in this thread. At the end of each turn in which something may have
 * changed, the engine is asked once which answers have, and how.
 */
export class LiveHub {
  private readonly all = new Set<Entry>()
  private readonly known = new Map<number, Entry>() // by handle
  private readonly unknown = new Set<Entry>() // asked again at each change
  private lastId = 0
  private version = 0 // of the database when it was looked at last
  private isNoted = false

  /** @param onUse Called when there are questions, and when there are none any more. */
  constructor(
    private readonly engine: HubEngine,
    private readonly onUse: () => void,
  ) {}

  get isEmpty(): boolean {
    return this.all.size === 0
  }

  open(question: LiveQuestion, listener: LiveListener): () => void {
    const entry: Entry = { id: ++this.lastId, question, listener, handle: 0 }
    this.all.add(entry)
    if (this.all.size === 1) this.onUse()
    this.start(entry)
    return () => {
      if (!this.all.delete(entry)) return
      this.forget(entry)
      if (this.isEmpty) this.onUse()
    }
  }

  private start(entry: Entry): void {
    if (!this.all.has(entry)) return
    const { settling } = this.engine
    if (settling) {
      void settling.then(() => this.start(entry))
      return
    }
    const version = this.engine.versionOutside
    if (this.known.size + this.unknown.size === 0) this.version = version
    this.unknown.add(entry)
    const update = this.engine.patiently(() => this.ask(entry))
    const arrival = 'error' in update ? arrivalOf(update.error) : undefined
    if (arrival) arrival.then(() => this.start(entry), (error: unknown) => entry.listener.told({ error }))
    else entry.listener.told(update)
  }

  /** The database may have changed, or is about to in this turn. Does not call the engine. */
  note(): void {
    if (this.isNoted || this.all.size === 0) return
    this.isNoted = true
    queueMicrotask(this.look)
  }

  private readonly look = () => {
    const { settling } = this.engine
    if (settling) {
      void settling.then(this.look)
      return
    }
    this.isNoted = false
    if (this.engine.ended || this.all.size === 0) return
    for (const [entry, update] of this.changes()) if (this.all.has(entry)) entry.listener.told(update)
  }

  /** What has changed since the last call. All questions are asked before the first is told: a listener may write. */
  private changes(): [Entry, LiveUpdate][] {
    try {
      const version = this.engine.versionOutside
      if (version === this.version) return []
      this.version = version
      return this.changesNow()
    } catch (error) {
      return [...this.all].map((entry) => [entry, { error }]) // the database is not usable any more
    }
  }

  private changesNow(): [Entry, LiveUpdate][] {
    const changes: [Entry, LiveUpdate][] = []
    const unknown = [...this.unknown]
    if (this.known.size > 0) {
      for (const [handle, told] of this.engine.value(Op.liveChanges, noArguments) as [number, Told][]) {
        const entry = this.known.get(handle)
        if (entry) changes.push([entry, this.updateOf(entry, told)])
      }
    }
    for (const entry of unknown) changes.push([entry, this.ask(entry)])
    return changes.sort(([a], [b]) => a.id - b.id)
  }

  private updateOf(entry: Entry, told: Told): LiveUpdate {
    if (told === null) return this.ask(entry)
    if (typeof told === 'number') return { value: told }
    return entry.question.call!.op === Op.find ? { edits: told as readonly Edit[] } : { value: told[0] }
  }

  private ask(entry: Entry): LiveUpdate {
    try {
      if (entry.handle === 0) this.register(entry)
      return { answer: entry.question.ask(this.engine) }
    } catch (error) {
      // The engine must not tell what has changed in an answer that nobody has got.
      this.forget(entry)
      this.unknown.add(entry)
      return { error: readingError('an argument', error) }
    }
  }

  /** Lets the engine know of a question that is asked in the same turn. */
  private register(entry: Entry): void {
    const { call = entry.question.watch } = entry.question
    if (!call) return
    this.engine.checkThere(call.op)
    try {
      entry.handle = this.engine.value(Op.live, questionOf(call)) as number
    } catch {
      return // the question itself fails too, and says why; or there are more than the engine takes
    }
    this.unknown.delete(entry)
    this.known.set(entry.handle, entry)
  }

  private forget(entry: Entry): void {
    this.unknown.delete(entry)
    const { handle } = entry
    if (handle === 0) return
    entry.handle = 0
    this.known.delete(handle)
    if (this.engine.ended) return
    try {
      this.engine.value(Op.endLive, handleOf(handle))
    } catch {
      // The database is not usable any more, and has no live questions.
    }
  }

  /** Tells all that nothing will change any more, and forgets them. */
  end(error?: AtomicDBError): void {
    const all = [...this.all]
    this.all.clear()
    this.known.clear()
    this.unknown.clear()
    if (all.length > 0) this.onUse()
    for (const { listener } of all) listener.ended(error)
  }
}

// The arguments of these two ops, by hand: an encoder would make the file of the worker a fifth longer.

function questionOf({ op, args }: EngineCall): Uint8Array {
  const bytes = new Uint8Array(2 + args.length)
  bytes.set([0x92, op]) // an array of 2; every op is below 128
  bytes.set(args, 2)
  return bytes
}

function handleOf(handle: number): Uint8Array {
  const bytes = Uint8Array.of(0x91, 0xce, 0, 0, 0, 0) // an array of 1, with a number of 32 bits
  new DataView(bytes.buffer).setUint32(2, handle)
  return bytes
}
