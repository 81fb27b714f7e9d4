// Compiled, never run: the hooks of atomicdb/react without Register. With it, see the program in react.test.ts.
import { AtomicDB, ThreadSafeDatabase, type QueryResult, type Stored } from '../../src/index.js'
import {
  AtomicDBProvider, useAggregate, useCount, useDatabase, useDocument, useInfiniteQuery, useLive, useLiveQuery, useLiveSql, useMutation,
  useSuspenseCount, useSuspenseDocument, useSuspenseLiveQuery, useWriteStatus,
} from '../../src/react/index.js'

interface Todo { text: string; done: boolean; created: number; list?: { name: string } }
interface Schema { todos: Todo }

declare const db: AtomicDB<Schema>
declare const pool: ThreadSafeDatabase

const todos = db.collection('todos')

export function Component({ search }: { search: string }) {
  // Of a collection, the type is its own.
  useLiveQuery(todos).data satisfies QueryResult<Todo>
  useLiveQuery(todos, { done: false, 'list.name': search }, { sort: ['-created', 'text'], limit: 5, initialData: [] })
  useLiveQuery(todos, todos.query().created.gt(5))
  useLiveQuery(todos, (todo) => todo.text.includes(search), { deps: [search] })
  useInfiniteQuery(todos, "text matches 'a'", { pageSize: 10 }).data.first()?.text satisfies string | undefined
  useDocument(todos, 5).data satisfies Stored<Todo> | undefined
  useAggregate<{ n: number }>(todos, { select: { n: { $count: true } } }).data[0]!.n satisfies number
  useSuspenseLiveQuery(todos, { done: true }) satisfies QueryResult<Todo>
  useSuspenseDocument(todos, 'id')?.text satisfies string | undefined
  // @ts-expect-error: no such field
  useLiveQuery(todos, { title: search })
  // @ts-expect-error: a number
  useLiveQuery(todos, { created: search })
  // @ts-expect-error: no such field
  useLiveQuery(todos, {}, { sort: 'title' })
  // @ts-expect-error: no such option
  useLiveQuery(todos, {}, { collection: 'todos' })
  // @ts-expect-error: no such field
  useCount(todos, { title: search })
  // @ts-expect-error: no such field
  useAggregate(todos, { groupBy: 'title', select: { n: { $count: true } } })
  // @ts-expect-error: other documents
  useLiveQuery(todos, {}, { initialData: [{ _id: 1, title: 'x' }] })
  // @ts-expect-error: what suspends is always asked
  useSuspenseLiveQuery(todos, {}, { enabled: false })
  // @ts-expect-error: a collection or a name
  useLiveQuery(5)

  // Of a name, what the type argument says, or anything.
  useLiveQuery('todos', { anything: 5 }).data.first()!.whatever
  useLiveQuery<Todo>('todos', { done: false }).data.first()?.created satisfies number | undefined
  useDocument<Todo>('todos', null).data?.text satisfies string | undefined
  // @ts-expect-error: no such field
  useLiveQuery<Todo>('todos', { title: search })
  // @ts-expect-error: it may not be there
  useDocument<Todo>('todos', 1).data.text
  useCount('todos', { done: false }).data satisfies number
  useSuspenseCount('todos') satisfies number
  useLiveSql<{ n: number }>('SELECT COUNT(*) AS n FROM todos WHERE text = :text', { text: search }).data.first()!.n satisfies number
  useLiveSql<{ n: number }>`SELECT COUNT(*) AS n FROM todos WHERE text = ${search}`.data.first()!.n satisfies number
  useLive((db) => db.liveCount(), []).data satisfies number | undefined

  const { data, error, isLoading } = useDatabase()
  data?.name satisfies string | undefined
  error?.code satisfies string | undefined
  isLoading satisfies boolean
  useWriteStatus().status satisfies 'saved' | 'saving' | 'failed'

  const add = useMutation(async (db, text: string, done?: boolean) => db.insert({ text, done: done ?? false }, 'todos'))
  add.mutate(search)
  add.mutateAsync(search, true) satisfies Promise<string | number>
  add.data satisfies string | number | undefined
  // @ts-expect-error: an argument is missing
  add.mutate()
  // @ts-expect-error: a text
  add.mutate(5)
  return (
    <>
      <AtomicDBProvider database={db} fallback="…">{search}</AtomicDBProvider>
      <AtomicDBProvider database={pool} />
      <AtomicDBProvider database={Promise.resolve(db)} />
      <AtomicDBProvider database={() => AtomicDB.open<Schema>('todos')} />
      {/* @ts-expect-error: no database */}
      <AtomicDBProvider database="todos" />
    </>
  )
}
