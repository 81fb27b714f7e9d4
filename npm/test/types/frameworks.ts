// Compiled, never run: `tsc` fails if a line below stops being an error, or another becomes one. The hooks of frameworks.
import { signal } from '@angular/core'
import type { Accessor } from 'solid-js'
import { computed, ref } from 'vue'
import type { AtomicDB, AtomicDBError, Collection, Id, QueryResult, Stored } from '../../src/index.js'
import * as angular from '../../src/angular/index.js'
import * as solid from '../../src/solid/index.js'
import * as svelte from '../../src/svelte/index.js'
import * as vue from '../../src/vue/index.js'

interface Todo {
  text: string
  done: boolean
  created: number
  tags: string[]
}

declare const db: AtomicDB<{ todos: Todo }>
declare const todos: Collection<Todo>
const q = todos.query()

// ------------------------------------------------------------ Vue

vue.atomicdb(db)
vue.useDatabase<{ todos: Todo }>().data.value?.collection('todos') satisfies Collection<Todo> | undefined
vue.atomicdb(() => Promise.resolve(db))
vue.useLive((db) => db.liveDistinct('tags'), ref([1])).data.value satisfies unknown[] | undefined
vue.useLiveQuery(todos).data.value satisfies QueryResult<Todo>
vue.useLiveQuery(todos, { done: true }, { sort: '-created', limit: 5 }).data.value[0]!.text satisfies string
vue.useLiveQuery(todos, ref({ done: true })).error.value satisfies AtomicDBError | undefined
vue.useLiveQuery(todos, computed(() => q.done.eq(true)), ref({ limit: 5 })).isLoading.value satisfies boolean
vue.useLiveQuery(todos, () => ({ 'done': true, 'tags': 'home' }), () => ({ limit: 5 }))
vue.useLiveQuery(todos, () => (todo) => todo.done)
vue.useLiveQuery(todos, ref('done = true'))
vue.useLiveQuery<Todo>('todos', 'done = true', { sort: 'created', keepPrevious: true }).data.value.first() satisfies Stored<Todo> | undefined
vue.useLiveQuery('todos', { done: true }).data.value satisfies QueryResult<any>
vue.useLiveSql<{ n: number }>`SELECT COUNT(*) AS n FROM todos WHERE created > ${ref(1)} AND done = ${() => true}`.data.value[0]!.n satisfies number
vue.useLiveSql<{ n: number }>(ref('SELECT ? AS n'), () => [1]).data.value satisfies QueryResult<{ n: number }>
vue.useDocument(todos, 1).data.value satisfies Stored<Todo> | undefined
vue.useDocument(todos, ref<Id>()).data.value satisfies Stored<Todo> | undefined
vue.useDocument<Todo>('todos', () => 'a').data.value?.text satisfies string | undefined
vue.useCount(todos, { done: false }).data.value satisfies number
vue.useCount('todos', { done: false }, () => ({ enabled: true })).data.value satisfies number
vue.useAggregate<{ n: number }>('todos', { select: { n: { $count: true } } }).data.value[0]!.n satisfies number
vue.useAggregate<{ n: number }>(todos, () => ({ groupBy: 'done', select: { n: { $count: true } } })).data.value[0]!.n satisfies number
vue.useMutation((db, text: string, done?: boolean) => db.insert({ text, done }, 'todos')).mutateAsync('milk') satisfies Promise<Id>
vue.useMutation(() => todos.clear()).mutate() satisfies void
vue.useMutation(() => 1).data.value satisfies number | undefined
vue.useWriteStatus().status.value satisfies 'saved' | 'saving' | 'failed'

// @ts-expect-error: no such field
vue.useLiveQuery(todos, { don: true })
// @ts-expect-error: no such field to sort by
vue.useLiveQuery(todos, { done: true }, { sort: 'create' })
// @ts-expect-error: no such option
vue.useLiveQuery(todos, { done: true }, { sorted: 'created' })
// @ts-expect-error: a function is a getter
vue.useLiveQuery(todos, (todo: Stored<Todo>) => todo.done)
// @ts-expect-error: the answer is not to be set
vue.useLiveQuery(todos).data.value = []
// @ts-expect-error: no such field
vue.useLiveQuery(todos).data.value[0]!.title
// @ts-expect-error: the document may not be there
vue.useDocument(todos, 1).data.value.text
// @ts-expect-error: an argument is missing
vue.useMutation((db, text: string) => db.remove({ text })).mutate()

// ------------------------------------------------------------ Svelte

svelte.setDatabase(db)
svelte.getDatabase<{ todos: Todo }>().data?.collection('todos') satisfies Collection<Todo> | undefined
svelte.setDatabase(() => Promise.resolve(db))
svelte.liveValue((db) => db.liveCount()).data satisfies number | undefined
svelte.liveQuery(todos, { done: true }, { sort: '-created' }).data satisfies QueryResult<Todo>
svelte.liveQuery(todos, () => ({ done: true }), () => ({ limit: 5 })).data[0]!.text satisfies string
svelte.liveQuery(todos, () => (todo) => todo.done).error satisfies AtomicDBError | undefined
svelte.liveQuery<Todo>('todos', () => undefined, { enabled: false }).isLoading satisfies boolean
svelte.liveSql<{ n: number }>`SELECT COUNT(*) AS n FROM todos WHERE created > ${() => 1}`.data[0]!.n satisfies number
svelte.liveDocument(todos, () => undefined).data satisfies Stored<Todo> | undefined
svelte.liveDocument<Todo>('todos', 1).data?.text satisfies string | undefined
svelte.liveCount(todos, () => q.done.eq(true)).data satisfies number
svelte.liveAggregate<{ n: number }>(todos, { groupBy: 'done', select: { n: { $count: true } } }).data[0]!.n satisfies number
svelte.mutation((db, text: string) => db.remove({ text })).mutateAsync('milk') satisfies Promise<number>
svelte.writeStatus().status satisfies 'saved' | 'saving' | 'failed'

// @ts-expect-error: no such field
svelte.liveQuery(todos, { don: true })
// @ts-expect-error: no such field
svelte.liveQuery(todos).data[0]!.title
// @ts-expect-error: the answer is not to be set
svelte.liveCount(todos).data = 1
// @ts-expect-error: an argument is missing
svelte.mutation((db, text: string) => db.remove({ text })).mutate()

// ------------------------------------------------------------ Solid

solid.AtomicDBProvider({ database: db })
solid.useDatabase<{ todos: Todo }>().data?.collection('todos') satisfies Collection<Todo> | undefined
solid.AtomicDBProvider({ database: () => Promise.resolve(db) })
solid.createLive((db) => db.liveCount()).data satisfies number | undefined
declare const done: Accessor<boolean>
solid.createLiveQuery(todos, () => ({ done: done() }), { sort: '-created' }).data satisfies readonly Stored<Todo>[]
solid.createLiveQuery(todos, { done: true }, () => ({ limit: 5 })).data[0]!.text satisfies string
solid.createLiveQuery(todos, () => (todo) => todo.done).error satisfies AtomicDBError | undefined
solid.createLiveQuery<Todo>('todos', () => undefined, { enabled: false }).isLoading satisfies boolean
solid.createLiveSql<{ n: number }>`SELECT COUNT(*) AS n FROM todos WHERE done = ${done}`.data[0]!.n satisfies number
solid.createDocument(todos, () => undefined).data satisfies Stored<Todo> | undefined
solid.createDocument<Todo>('todos', 1).data?.text satisfies string | undefined
solid.createCount(todos, q.done.eq(true)).data satisfies number
solid.createAggregate<{ n: number }>('todos', { groupBy: 'done', select: { n: { $count: true } } }).data[0]!.n satisfies number
solid.createMutation((db, text: string) => db.remove({ text })).mutateAsync('milk') satisfies Promise<number>
solid.createWriteStatus().status satisfies 'saved' | 'saving' | 'failed'

// @ts-expect-error: no such field
solid.createLiveQuery(todos, { don: true })
// @ts-expect-error: no such field
solid.createLiveQuery(todos).data[0]!.title
// @ts-expect-error: the store is not to be changed
solid.createLiveQuery(todos).data.push({ _id: 1, text: 'milk', done: false, created: 1, tags: [] })
// @ts-expect-error: an argument is missing
solid.createMutation((db, text: string) => db.remove({ text })).mutate()

// ------------------------------------------------------------ Angular

angular.provideAtomicDB(db)
angular.injectDatabase<{ todos: Todo }>().data()?.collection('todos') satisfies Collection<Todo> | undefined
angular.provideAtomicDB(() => Promise.resolve(db))
angular.liveValue((db) => db.liveCount()).data() satisfies number | undefined
angular.liveQuery(todos, signal({ done: true }), { sort: '-created' }).data() satisfies QueryResult<Todo>
angular.liveQuery(todos, () => ({ done: true }), signal({ limit: 5 })).data()[0]!.text satisfies string
angular.liveQuery(todos, () => (todo) => todo.done).error() satisfies AtomicDBError | undefined
angular.liveQuery<Todo>('todos', () => undefined, { enabled: false }).isLoading() satisfies boolean
angular.liveSql<{ n: number }>`SELECT COUNT(*) AS n FROM todos WHERE created > ${signal(1)}`.data()[0]!.n satisfies number
angular.liveDocument(todos, signal<Id | undefined>(undefined)).data() satisfies Stored<Todo> | undefined
angular.liveDocument<Todo>('todos', 1).data()?.text satisfies string | undefined
angular.liveCount(todos, () => q.done.eq(true)).data() satisfies number
angular.liveAggregate<{ n: number }>(todos, { groupBy: 'done', select: { n: { $count: true } } }).data()[0]!.n satisfies number
angular.mutation((db, text: string) => db.remove({ text })).mutateAsync('milk') satisfies Promise<number>
angular.writeStatus().status() satisfies 'saved' | 'saving' | 'failed'

// @ts-expect-error: no such field
angular.liveQuery(todos, { don: true })
// @ts-expect-error: no such field
angular.liveQuery(todos).data()[0]!.title
// @ts-expect-error: the answer is not to be set
angular.liveCount(todos).data.set(1)
// @ts-expect-error: an argument is missing
angular.mutation((db, text: string) => db.remove({ text })).mutate()
