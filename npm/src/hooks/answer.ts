import type { AtomicDBError, LiveValue } from '../index.js'

/** What a hook has of a question. */
export interface Answer<V> {
  readonly data: V
  /** Why the question could not be asked the last time. `data` is the last that there was. */
  readonly error: AtomicDBError | undefined
  /** Whether there is no answer yet, and nothing to show in its place. */
  readonly isLoading: boolean
}

/** An answer that may have no data yet. */
export type State<V> = Answer<V | undefined>

/** The state before anything is known; on a server, always. */
export const loading: State<never> = { data: undefined, error: undefined, isLoading: true }

/** The state of a question that is not to be asked. */
export const idle: State<never> = { data: undefined, error: undefined, isLoading: false }

/**
 * What a component sees of a state.
 *
 * @param before What `data` is until there is an answer.
 * @param hasInitial Whether that was given, so that nothing is loading.
 */
export function seen<V>({ data, error, isLoading }: State<V>, before: V, hasInitial: boolean): Answer<V> {
  return isLoading || (error && data === undefined) ? { data: before, error, isLoading: isLoading && !hasInitial } : { data: data as V, error, isLoading }
}

/** A state that others can follow. */
export interface Followed<S> {
  /** The state now: the same object until it changes. */
  readonly current: () => S
  /** Calls `listener` when the state has changed; returns what ends that. */
  readonly subscribe: (listener: () => void) => () => void
}

/**
 * The answer to a question about one database, shared by all who ask the same. The question is asked when the first of
 * them reads the answer, and is closed when nobody follows it any more.
 */
export class SharedAnswer<V> implements Followed<State<V>> {
  private live: LiveValue<V> | undefined
  private stop: (() => void) | undefined
  private state: State<V> = loading
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param answers Where it is found by its key while it is in use.
   * @param open Asks the question.
   */
  constructor(
    private readonly answers: Map<string, SharedAnswer<any>>,
    private readonly key: string,
    private readonly open: () => LiveValue<V>,
  ) {
    this.keep()
  }

  readonly current = (): State<V> => {
    this.start()
    return this.state
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.start()
    const own = () => listener()
    this.listeners.add(own)
    return () => {
      if (this.listeners.delete(own) && this.listeners.size === 0) this.closeIn(0)
    }
  }

  /** Resolves when there is an answer, or an error. */
  readonly settled = (): Promise<void> => {
    this.start()
    return this.live?.ready.catch(() => {}) ?? Promise.resolve()
  }

  private keep(): void {
    if (!this.answers.has(this.key)) this.answers.set(this.key, this)
    this.closeIn(renderTime)
  }

  private start(): void {
    if (this.stop) return
    this.keep()
    this.stop = () => {}
    try {
      const live = (this.live = this.open())
      this.stop = live.subscribe(
        (data) => this.become({ data, error: undefined, isLoading: false }),
        (error) => this.become({ data: live.isReady ? live.current : undefined, error, isLoading: false }),
      )
    } catch (error) {
      this.state = { data: undefined, error: error as AtomicDBError, isLoading: false }
    }
  }

  private become(state: State<V>): void {
    if (this.state.isLoading && this.listeners.size === 0) this.closeIn(renderTime)
    this.state = state
    for (const listener of [...this.listeners]) listener()
  }

  /** Closes it after so many milliseconds, unless somebody follows it then. */
  private closeIn(milliseconds: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      const isAwaited = milliseconds > 0 && this.live && this.state.isLoading // by what is to be rendered with the answer
      if (this.listeners.size === 0 && !isAwaited) this.close()
    }, milliseconds)
  }

  private close(): void {
    if (this.answers.get(this.key) === this) this.answers.delete(this.key)
    this.stop?.()
    this.live?.close()
    this.stop = this.live = undefined
  }
}

/** How long a component may take from reading an answer to following it, in milliseconds. */
const renderTime = 1000

const all = new WeakMap<object, Map<string, SharedAnswer<any>>>()

/** The answer to a question about what `calls` are of: the one that is there, if it has been asked already. */
export function sharedAnswer<V>(calls: object, key: string, open: () => LiveValue<V>): SharedAnswer<V> {
  let answers = all.get(calls)
  if (!answers) all.set(calls, (answers = new Map()))
  return answers.get(key) ?? new SharedAnswer(answers, key, open)
}

/** How many questions about a database are open. */
export function openAnswers(calls: object): number {
  return all.get(calls)?.size ?? 0
}
