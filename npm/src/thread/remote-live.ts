import type { EngineCall, EngineCalls } from '../connection/engine-calls.js'
import type { Edit, LiveListener, LiveQuestion, LiveUpdate } from '../connection/live.js'
import type { AtomicDBError } from '../errors.js'
import { unpacked, type Packed } from './rpc.js'

/** What the other thread is asked to keep current. */
export interface LiveRequest {
  readonly id: number
  /** Undefined: it only tells that something has changed, because the question is one for this thread. */
  readonly call: EngineCall | undefined
  /** As {@link LiveQuestion.watch}. */
  readonly watch?: EngineCall | undefined
  /** The newest batch that the caller has seen: the first answer is of it or of a later one. */
  readonly after: number
}

/** What the other thread tells of a question. */
export interface LiveReply {
  readonly id: number
  /** The newest batch that the engine held. */
  readonly head: number
  readonly update: { readonly pieces: Uint8Array[] } | { readonly value: unknown } | { readonly edits: readonly Edit[] } | { readonly error: Packed }
}

/** The connection that has the questions. */
interface Asker {
  read<R>(work: (engine: EngineCalls) => R): Promise<R>
  /** The answer of a call, from the bytes of its pieces. */
  answerOf(call: EngineCall, pieces: readonly Uint8Array[]): unknown
  /** Calls the other thread, and waits for its reply: in Node, that keeps the process alive. */
  callThread(name: string, argument: unknown): Promise<unknown>
  notify(name: string, argument: unknown): void
}

interface Entry {
  readonly question: LiveQuestion
  readonly listener: LiveListener
  /** Of a question for this thread: whether it is being asked, and whether something has changed meanwhile. */
  state: 'idle' | 'asking' | 'outdated'
}

/** The live questions of a database whose engine runs in another thread. */
export class RemoteLives {
  private readonly all = new Map<number, Entry>()
  private lastId = 0

  constructor(private readonly connection: Asker) {}

  get isEmpty(): boolean {
    return this.all.size === 0
  }

  /** @param after The newest batch that this thread has seen. */
  open(question: LiveQuestion, listener: LiveListener, after: number): () => void {
    const id = ++this.lastId
    this.all.set(id, { question, listener, state: 'idle' })
    // It replies when it has told the first answer.
    this.connection.callThread('live', { id, call: question.call, watch: question.watch, after } satisfies LiveRequest).catch((error: unknown) => {
      if (this.all.has(id)) listener.told({ error })
    })
    return () => {
      if (this.all.delete(id)) this.connection.notify('endLive', id)
    }
  }

  told({ id, update }: LiveReply): void {
    const entry = this.all.get(id)
    if (!entry) return // it was ended meanwhile
    if ('error' in update) entry.listener.told({ error: unpacked(update.error) })
    else if (!('pieces' in update)) entry.listener.told(update)
    else if (entry.question.call) entry.listener.told(this.answer(entry.question.call, update.pieces))
    else this.ask(id, entry)
  }

  private answer(call: EngineCall, pieces: readonly Uint8Array[]): LiveUpdate {
    return { answer: this.connection.answerOf(call, pieces) }
  }

  /** Asks a question that only this thread can ask: once more if something has changed meanwhile. */
  private ask(id: number, entry: Entry): void {
    if (entry.state !== 'idle') {
      entry.state = 'outdated'
      return
    }
    entry.state = 'asking'
    const done = (update: LiveUpdate) => {
      const wasOutdated = entry.state === 'outdated'
      entry.state = 'idle'
      if (!this.all.has(id)) return
      entry.listener.told(update)
      if (wasOutdated) this.ask(id, entry)
    }
    this.connection.read((engine) => entry.question.ask(engine)).then((answer) => done({ answer }), (error: unknown) => done({ error }))
  }

  /** Tells all that nothing will change any more, and forgets them. */
  end(error?: AtomicDBError): void {
    const all = [...this.all.values()]
    this.all.clear()
    for (const { listener } of all) listener.ended(error)
  }
}
