import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import { idle, seen, type Answer, type SharedAnswer, type State } from '../hooks/answer.js'
import { answerTo, type Question } from '../hooks/questions.js'
import { getOnServer, reasonToStop, subscribeToNothing, useOpened, useOpening } from './provider.js'
import type { AskOptions } from './types.js'

interface Asked<V> {
  /** Of the answer, or, while there is no database to ask, of that. */
  readonly state: State<V>
  /** Resolves when there is something else to render. */
  settled(): PromiseLike<unknown>
}

function useAsked<V>(question: Question<V>, enabled: boolean): Asked<V> {
  const needsProvider = enabled && !question.collection
  const opening = useOpening(needsProvider)
  const opened = useOpened(needsProvider ? opening : undefined)
  const answer: SharedAnswer<V> | undefined = enabled ? answerTo(question, opened.data) : undefined
  // Without an answer, it is the opening that is told of.
  const unanswered = enabled ? (opened as State<never>) : idle
  const state = useSyncExternalStore<State<V>>(answer?.subscribe ?? subscribeToNothing, answer?.current ?? (() => unanswered), enabled ? getOnServer : () => idle)
  return { state, settled: () => answer?.settled() ?? opening!.ready() }
}

/** The answer to a question. @param empty What `data` is before the first answer. */
export function useAnswer<V, I extends V>(question: Question<V>, empty: V, { initialData, enabled = true, keepPrevious }: AskOptions<I> = {}): Answer<V> {
  const { state } = useAsked(question, enabled)
  const last = useRef<V>(empty)
  const before = initialData !== undefined ? initialData : keepPrevious ? last.current : empty
  const { data, error, isLoading } = state === idle ? { ...state, data: before } : seen(state, before, initialData !== undefined)
  useEffect(() => {
    last.current = data
  }, [data])
  return useMemo(() => ({ data, error, isLoading }), [data, error, isLoading])
}

/** The data of the answer to a question. Suspends until there is one, and throws the error if there is one. */
export function useSuspenseAnswer<V, I extends V>(question: Question<V>, { initialData }: Pick<AskOptions<I>, 'initialData'> = {}): V {
  const { state, settled } = useAsked(question, true)
  if (state.isLoading) {
    if (initialData !== undefined) return initialData
    throw reasonToStop(state, settled)
  }
  if (state.error) throw state.error
  return state.data!
}
