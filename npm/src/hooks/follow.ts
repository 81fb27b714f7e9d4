import { QueryResult, type AtomicDBError } from '../index.js'
import { seen, type Answer, type State } from './answer.js'
import type { AskOptions } from './ask-options.js'
import { keyOf } from './key.js'
import type { Opening } from './opening.js'
import { aggregated, answerTo, counted, followed, found, one, selected, type Question } from './questions.js'

/** What a component asks, as its arguments are at present. */
export interface Asked<V> {
  /** Undefined if nothing is to be asked. */
  readonly question: Question<V> | undefined
  /** What `data` is before there is an answer. */
  readonly before: V
  /** Whether that was given, so that the component need not wait. */
  readonly hasInitial: boolean
  readonly keepPrevious: boolean
  /** Why the arguments cannot be read. */
  readonly failure?: unknown
}

const noDocuments = Object.freeze(new QueryResult<any>())
const noRows = Object.freeze([])

/** What each function of a framework that asks makes of its arguments. */
const questions = {
  found: ([of, where, options]) => asked(noDocuments, options, (rest) => found(of, where, rest)),
  one: ([of, id, options]) => asked(undefined, { ...options, ...(id === undefined || id === null ? { enabled: false } : {}) }, (rest) => one(of, id, rest)),
  counted: ([of, where, options]) => asked(0, options, () => counted(of, where)),
  aggregated: ([of, pipeline, options]) => asked(noRows, options, () => aggregated(of, pipeline)),
  selected: ([text, ...given]) => (typeof text === 'string' ? asked(noDocuments, given[1], () => selected(text, given[0] === undefined ? [] : [given[0]])) : asked(noDocuments, {}, () => selected(text, given))),
  followed: ([make, deps, options]) => asked(undefined, options, () => followed(make, keyOf([make, deps]))),
} satisfies Record<string, (args: readonly any[]) => Asked<any>>

/** The functions that ask. */
export type Kind = keyof typeof questions

/** What a function asks whose arguments are these. */
export function askedOf<V>(kind: Kind, args: () => readonly any[]): Asked<V> {
  try {
    return questions[kind](args()) as Asked<V>
  } catch (failure) {
    return { ...(questions[kind](['', '', { enabled: false }]) as Asked<V>), failure }
  }
}

function asked<V>(empty: V, options: AskOptions<V> | undefined, ask: (rest: object) => Question<V>): Asked<V> {
  const { initialData, enabled = true, keepPrevious = false, ...rest } = options ?? {}
  const hasInitial = initialData !== undefined
  const before = hasInitial && empty === noDocuments && !(initialData instanceof QueryResult) ? Object.assign(new QueryResult(), initialData) : initialData
  return { question: enabled ? ask(rest) : undefined, before: hasInitial ? (before as V) : empty, hasInitial, keepPrevious }
}

/** Whether there is nothing new in what a component asks. */
export function sameAsked(a: Asked<any>, b: Asked<any>): boolean {
  const [one, other] = [a.question, b.question]
  return one?.key === other?.key && one?.collection?.calls === other?.collection?.calls && a.keepPrevious === b.keepPrevious && a.hasInitial === b.hasInitial && a.failure === b.failure
}

/**
 * Asks, and tells what a component sees: at once, and whenever it is something else, until the function that comes back is
 * called.
 *
 * @param opening Of the database for what names no other.
 * @param last What was seen of what the component asked before.
 */
export function follow<V>({ question, before, hasInitial, keepPrevious, failure }: Asked<V>, opening: Opening, tell: (seen: Answer<V>) => void, last?: Answer<V>): () => void {
  const waiting = keepPrevious && last && !hasInitial ? last.data : before
  if (!question) {
    tell({ data: waiting, error: failure as AtomicDBError | undefined, isLoading: false })
    return () => {}
  }
  let stop = () => {}
  const ask = () => {
    stop()
    const opened = opening.current()
    const answer = answerTo(question, opened.data)
    const told = () => tell(seen(answer ? answer.current() : (opened as State<never>), waiting, hasInitial))
    stop = answer?.subscribe(told) ?? (() => {})
    told()
  }
  const stopOpening = question.collection ? undefined : opening.subscribe(ask)
  ask()
  return () => {
    stopOpening?.()
    stop()
  }
}
