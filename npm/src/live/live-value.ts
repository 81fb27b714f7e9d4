import type { Calls } from '../connection/calls.js'
import type { LiveQuestion, LiveUpdate } from '../connection/live.js'
import { checkFunction } from '../checks.js'
import { AtomicDBError, invalid } from '../errors.js'
import { Iteration } from './iteration.js'
import { guarded, report } from './report.js'
import type { LiveView } from './views.js'
import type { StopSignal } from '../types.js'
import { leftAlone } from '../left-alone.js'

/** Who is told of the values of a live value. */
interface Subscriber<L> {
  readonly listener: L
  readonly onError: ((error: AtomicDBError) => void) | undefined
}

/** The live values that somebody waits for. Others may be collected, and are closed then. */
const awaited = new Set<LiveValue<any>>()

// Cloudflare Workers of older compatibility dates have neither of these.
const forgotten = typeof FinalizationRegistry === 'function' ? new FinalizationRegistry<() => void>((close) => close()) : undefined
const weakly = <O extends object>(object: O): { deref(): O | undefined } => (forgotten ? new WeakRef(object) : { deref: () => object })

/**
 * A value that is kept current: whenever a commit changes it, in this tab or in another, there is a new one. A write of
 * this tab counts at once, as for a query, and before it is stored. If it cannot be stored, the value goes back.
 *
 * It costs something with each commit until {@link close}, until the signal that it was made with is aborted, or until
 * the database is closed. One that nothing refers to, and that has no subscriber, ends by itself.
 *
 * @example
 * ```ts
 * const adults = db.liveCount('age >= 18')
 * const unsubscribe = adults.subscribe((n) => console.log(n))
 * ```
 */
export class LiveValue<V> implements AsyncIterable<V> {
  static {
    leftAlone(this)
  }

  private readonly subscribers = new Set<Subscriber<(...args: any[]) => void>>()
  private hasValue = false
  private failure: { readonly error: AtomicDBError } | undefined // a function of the user may have thrown undefined
  private whenReady: Deferred | undefined
  private over: { readonly error: unknown } | undefined // why it ended
  private readonly onEnd = new Set<() => void>()
  private stop: (() => void) | undefined

  /**
   * @internal
   * @param question What is asked.
   * @param view What its answers, and what is told of them, make of the value.
   * @param signal Ends it when it is aborted.
   */
  constructor(
    calls: Calls,
    question: LiveQuestion,
    private readonly view: LiveView<V>,
    signal?: StopSignal,
  ) {
    if (!calls.live) throw invalid('a transaction has no live queries: it ends before anybody else sees what it did; make them with db')
    for (const each of [signal, calls.signal]) if (each) this.endWith(each as AbortSignal)
    if (this.over) return
    const self = weakly(this)
    const stop = calls.live(question, {
      told: (update) => self.deref()?.take(update),
      ended: (error) => self.deref()?.end(error ?? closedError(), error),
    })
    this.stop = stop
    if (this.over) {
      stop()
      return
    }
    forgotten?.register(this, stop, this)
    if (!this.hasValue && !this.failure) awaited.add(this) // until then
  }

  /**
   * The value now: the same object until it changes. Before the first answer, which takes an event if the engine runs in
   * a worker, it is empty: no documents, 0, or undefined; see {@link isReady}. Do not change it: others have it too.
   *
   * @throws If the question failed, and has never had an answer.
   */
  get current(): V {
    if (this.failure && !this.hasValue) throw this.failure.error
    return this.view.value
  }

  /** Whether {@link current} has had its first value. */
  get isReady(): boolean {
    return this.hasValue
  }

  /**
   * Why the question could not be asked the last time; undefined if it could. The next commit asks again. What a function
   * of yours has thrown is here unchanged.
   */
  get error(): AtomicDBError | undefined {
    return this.failure?.error
  }

  /** Resolves when {@link current} has its first value; rejects if the question fails, or if this is closed before. */
  get ready(): Promise<void> {
    if (this.hasValue) return Promise.resolve()
    const failed = this.failure ?? this.over
    if (failed) return Promise.reject(failed.error as Error)
    this.whenReady ??= deferred()
    return this.whenReady.promise
  }

  /**
   * Calls `listener` now, if there is a value, and then once for each commit that changes it, or after which the question
   * can be asked again. All writes of one tick, and all that another tab did meanwhile, count as one commit. What a
   * listener throws is reported as an error that nobody caught; the other listeners are called all the same.
   *
   * @param onError Called when the question fails, as `search` would reject. Without it, the error is reported as one that
   * nobody caught.
   * @returns What ends it.
   */
  subscribe(listener: (value: V) => void, onError?: (error: AtomicDBError) => void): () => void {
    return this.add(listener, onError)
  }

  /** @internal */
  protected add(listener: (...args: any[]) => void, onError: ((error: AtomicDBError) => void) | undefined): () => void {
    checkFunction('listener', listener)
    if (onError !== undefined) checkFunction('onError', onError)
    const subscriber = { listener, onError }
    if (!this.over) {
      this.subscribers.add(subscriber)
      awaited.add(this)
    }
    if (this.hasValue) guarded(() => listener(this.view.value, undefined))
    if (this.failure) tellError([subscriber], this.failure.error)
    return () => {
      this.subscribers.delete(subscriber)
      this.letGo()
    }
  }

  /** The values, from the one that is there. If several come while the loop is busy, it gets the last of them. */
  [Symbol.asyncIterator](): AsyncIterableIterator<V> {
    const iteration = new Iteration<V>(() => {
      unsubscribe()
      this.onEnd.delete(end)
    })
    const end = () => iteration.end()
    this.onEnd.add(end)
    const unsubscribe = this.add((value: V) => iteration.give(value), (error) => iteration.fail(error))
    if (this.over) end()
    return iteration
  }

  /** Ends it: {@link current} stays as it is, no listener is called again, and loops over it end. */
  close(): void {
    this.end(new AtomicDBError('closed', 'the live query has been closed'), undefined)
  }

  private endWith(signal: AbortSignal): void {
    if (signal.aborted) {
      this.end(signal.reason, undefined)
      return
    }
    const self = weakly(this)
    const stop = () => self.deref()?.end(signal.reason, undefined)
    signal.addEventListener('abort', stop, { once: true })
    this.onEnd.add(() => signal.removeEventListener('abort', stop))
  }

  /** @param told The error of which subscribers hear. */
  private end(error: unknown, told: AtomicDBError | undefined): void {
    if (this.over) return
    this.over = { error }
    this.stop?.()
    forgotten?.unregister(this)
    const subscribers = [...this.subscribers]
    this.subscribers.clear()
    awaited.delete(this)
    this.whenReady?.reject(error)
    if (told) {
      this.failure = { error: told }
      tellError(subscribers, told)
    }
    const { onEnd } = this
    for (const each of [...onEnd]) each()
    onEnd.clear()
  }

  private take(update: LiveUpdate): void {
    if (this.over) return
    if ('error' in update) this.fail(update.error as AtomicDBError)
    else this.succeed(update)
    this.letGo()
  }

  private fail(error: AtomicDBError): void {
    const before = this.failure
    this.failure = { error }
    this.whenReady?.reject(error)
    this.whenReady = undefined
    if (!before || !saysTheSame(before.error, error)) tellError([...this.subscribers], error)
  }

  private succeed(update: Exclude<LiveUpdate, { error: unknown }>): void {
    const recovers = this.failure && this.hasValue
    this.failure = undefined
    const step = this.view.take(update) ?? (recovers ? {} : undefined)
    if (!step) return
    this.hasValue = true
    this.whenReady?.resolve()
    this.whenReady = undefined
    if (this.subscribers.size === 0) return
    const { value } = this.view // once: a listener may end in a change of it
    for (const subscriber of [...this.subscribers]) {
      if (this.subscribers.has(subscriber)) guarded(() => subscriber.listener(value, step.delta))
    }
  }

  /** If nobody waits for it any more, it may be collected. */
  private letGo(): void {
    if (this.subscribers.size === 0 && !this.whenReady) awaited.delete(this)
  }
}

interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

function deferred(): Deferred {
  let settle!: Omit<Deferred, 'promise'>
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...settle }
}

/** Whether a subscriber who has heard of one error need not hear of the other. A function of the user may throw anything. */
function saysTheSame(a: AtomicDBError, b: AtomicDBError): boolean {
  try {
    return a === b || (a.code === b.code && a.message === b.message)
  } catch {
    return false
  }
}

function closedError(): AtomicDBError {
  return new AtomicDBError('closed', 'the database has been closed')
}

function tellError(subscribers: readonly Subscriber<unknown>[], error: AtomicDBError): void {
  for (const { onError } of subscribers) if (onError) guarded(() => onError(error))
  if (subscribers.some(({ onError }) => !onError)) report(error)
}
