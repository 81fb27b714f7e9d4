/**
 * AtomicDB for Angular: {@link provideAtomicDB} gives an app a database, {@link liveQuery} and its like keep signals
 * current, and {@link mutation} writes. They need no zone.
 *
 * @packageDocumentation
 */
import { computed, DestroyRef, inject, InjectionToken, makeEnvironmentProviders, signal, untracked, type EnvironmentProviders, type Signal, type WritableSignal } from '@angular/core'
import type { Answer } from '../hooks/answer.js'
import { followWrites, isServer, needed, openingFor, saved } from '../hooks/app.js'
import type { AskOptions, DocumentOptions, LiveQueryOptions, Of, PlainWhere } from '../hooks/ask-options.js'
import { askedOf, follow, sameAsked, type Asked, type Kind } from '../hooks/follow.js'
import { mutationOf, unused, type MutationCalls, type Progress } from '../hooks/mutation.js'
import type { Database, DatabaseSource, Opening } from '../hooks/opening.js'
import type { Aggregate, AtomicDB, Id, LiveValue, QueryResult, Stored, Value, Where, WriteStatus } from '../index.js'

export type { AskOptions, Database, DatabaseSource, DocumentOptions, LiveQueryOptions, MutationCalls, Of, PlainWhere }

/** An argument: a value, a signal, or a function that reads signals. */
export type Argument<A> = A | (() => A)

/** A condition as an argument. One that is a function of a document is given as `() => (document) => …`. */
export type WhereArgument<T = any> = PlainWhere<T> | undefined | (() => Where<T> | undefined)

/** An object with a signal for each property of another. */
export type Signals<O> = { readonly [K in keyof O]: Signal<O[K]> }

/** What the functions that ask return: `data`, `error` and `isLoading`, each a signal. */
export type LiveSignals<V> = Signals<Answer<V>>

/** What {@link mutation} returns: calls, and `data`, `error` and `isPending`, each a signal. */
export type Mutation<A extends unknown[], R> = MutationCalls<A, R> & Signals<Progress<R>>

const token = new InjectionToken<Opening>('atomicdb')

/**
 * Gives an app its database.
 *
 * @param database Open, as a promise, or as a function that opens it: when it is needed first, until the app is destroyed.
 *
 * @example
 * ```ts
 * bootstrapApplication(App, { providers: [provideAtomicDB(() => AtomicDB.open('todos'))] })
 * ```
 */
export function provideAtomicDB(database: DatabaseSource<any>): EnvironmentProviders {
  const useFactory = () => {
    const opening = openingFor(database)
    if (!isServer()) inject(DestroyRef).onDestroy(opening.hold())
    return opening
  }
  return makeEnvironmentProviders([{ provide: token, useFactory }])
}

function injectOpening(of?: unknown): Opening {
  return needed(inject(token, { optional: true }) ?? undefined, 'give the app one with provideAtomicDB(…)', of)
}

/** The database of the app, as `{ data: db, error, isLoading }`. To write, {@link mutation} is enough, which waits for it. */
export function injectDatabase<Schema = any>(): Signals<Answer<AtomicDB<Schema> | undefined>> {
  const opening = injectOpening()
  const state = signal<Answer<any>>(opening.current())
  inject(DestroyRef).onDestroy(opening.subscribe(() => state.set(opening.current())))
  return answered(state)
}

/**
 * All documents that match, kept current: `db.live` in signals. `data` has no documents until the database has answered. It
 * is asked when a signal of it is read for the first time, and asked anew when what its arguments mean has changed.
 * Components that ask the same share one live query, which ends with the last of them. Called in an injection context, such
 * as the fields of a component.
 *
 * @param of The name of a collection of the app's database, or a collection.
 * @param where As in `search`; without it, all documents.
 *
 * @example
 * ```ts
 * readonly todos = liveQuery('todos', () => ({ done: this.done() }), { sort: 'created' })
 * ```
 */
export function liveQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<LiveQueryOptions<T, S, F>>): LiveSignals<QueryResult<T>> {
  return ask('found', [of, where, options])
}

/** The document of an id, kept current; undefined while there is none. A text is an id, also one that reads as a condition. */
export function liveDocument<T extends object = any, F extends string = never>(of: Of<T>, id: Argument<Id | null | undefined>, options?: Argument<DocumentOptions<T, F>>): LiveSignals<Stored<T> | undefined> {
  return ask('one', [of, id, options])
}

/** How many documents match, kept current; 0 until the database has answered. */
export function liveCount<T extends object = any>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<AskOptions<number>>): LiveSignals<number> {
  return ask('counted', [of, where, options])
}

/** The rows of an aggregate, kept current. */
export function liveAggregate<R = any, T extends object = any, G extends string = never, P extends string = never, N extends string = never>(of: Of<T>, pipeline: Argument<Aggregate<T, G, P, N>>, options?: Argument<AskOptions<readonly R[]>>): LiveSignals<R[]> {
  return ask('aggregated', [of, pipeline, options])
}

/** The rows of a SELECT, kept current. Values go in as parameters, as in `db.sql`; in a template, each may be a signal. */
export function liveSql<R = any>(text: Argument<string>, params?: Argument<readonly Value[] | Record<string, Value>>, options?: Argument<AskOptions<readonly Stored<R>[]>>): LiveSignals<QueryResult<R>>
export function liveSql<R = any>(strings: TemplateStringsArray, ...params: Argument<Value>[]): LiveSignals<QueryResult<R>>
export function liveSql(...args: unknown[]): LiveSignals<any> {
  return ask('selected', args)
}

/**
 * Any live value of the database, such as `db.liveDistinct` makes; `data` is undefined until there is one.
 *
 * @param make Makes it. It is called again when one of `deps` is another, which are compared by what they say.
 */
export function liveValue<V>(make: (db: Database) => LiveValue<V>, deps?: Argument<readonly unknown[]>, options?: Argument<AskOptions<V>>): LiveSignals<V | undefined> {
  return ask('followed', [() => make, deps, options])
}

/**
 * A function that writes, and how it goes. Called while the database is being opened, it waits for that. Live queries show
 * the write before it is stored, and take it back if it cannot be.
 *
 * @example
 * ```ts
 * readonly add = mutation((db, text: string) => db.insert({ text, done: false }, 'todos'))
 * ```
 */
export function mutation<A extends unknown[], R>(work: (db: AtomicDB, ...args: A) => Promise<R> | R): Mutation<A, R> {
  const progress = signal<Progress<R>>(unused)
  const calls = mutationOf<A, R>(injectOpening(), work, (next) => progress.set(next))
  return { ...calls, data: computed(() => progress().data), error: computed(() => progress().error), isPending: computed(() => progress().isPending) }
}

/**
 * Whether what this database has written is stored: `{ status, error }`, where the status is 'saved', 'saving' or 'failed'.
 * It is about all writes, not about those of {@link mutation} alone; see `db.writeStatus`.
 */
export function writeStatus(): Signals<WriteStatus> {
  const state = signal(saved)
  inject(DestroyRef).onDestroy(followWrites(injectOpening(), (status) => state.set(status)))
  return { status: computed(() => state().status), error: computed(() => state().error) }
}

function ask<V>(kind: Kind, args: readonly any[]): LiveSignals<V> {
  const opening = injectOpening(args[0])
  const asked = computed<Asked<V>>(() => askedOf(kind, () => args.map((each) => (typeof each === 'function' ? each() : each))), { equal: sameAsked })
  let stop = () => {}
  let isOver = false
  let last: Answer<V> | undefined
  inject(DestroyRef).onDestroy(() => {
    isOver = true
    stop()
  })
  // A signal for each question, so that the answer is there when it is read for the first time: an effect would come later.
  const answer = computed(() => {
    const now = asked()
    return untracked(() => {
      stop()
      if (isOver) return signal(last ?? { data: now.before, error: undefined, isLoading: false })
      let seen: WritableSignal<Answer<V>> | undefined
      stop = follow(now, opening, (next) => {
        last = next
        seen?.set(next)
      }, last)
      return (seen = signal(last!))
    })
  })
  return answered(computed(() => answer()()))
}

function answered<V>(answer: Signal<Answer<V>>): LiveSignals<V> {
  return { data: computed(() => answer().data), error: computed(() => answer().error), isLoading: computed(() => answer().isLoading) }
}
