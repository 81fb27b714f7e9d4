// What holds for atomicdb/react in a page: react.test.ts runs each claim in Chromium, with React's development build.
import { Activity, Component, memo, StrictMode, Suspense, startTransition, useEffect, useState, type ReactNode } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { AtomicDB, MemoryStorage, type OpenOptions, type StorageBackend, type Stored } from '../../src/index.js'
import {
  AtomicDBProvider, useAggregate, useCount, useDatabase, useDocument, useInfiniteQuery, useLive, useLiveQuery, useLiveSql, useMutation,
  useSuspenseAggregate, useSuspenseCount, useSuspenseDatabase, useSuspenseDocument, useSuspenseLiveQuery, useSuspenseLiveSql, useWriteStatus,
  type InfiniteAnswer, type Mutation,
} from '../../src/react/index.js'
import { equal, ok } from '../suites/check.js'
import { refresh, refreshable } from './refresh.js'

interface Card { title: string; column: string; n: number }

const cardsOf = (count: number): Card[] => Array.from({ length: count }, (_, n) => ({ title: `card ${n}`, column: n % 2 ? 'done' : 'open', n }))

let databases = 0

async function opened(options: OpenOptions = {}, cards = 20): Promise<AtomicDB> {
  const db = await AtomicDB.open(`react ${++databases}`, { inMemory: true, ...options })
  if (cards > 0) await db.insertMany(cardsOf(cards), 'cards')
  await db.sql('SELECT 1') // all of the engine is there: an aggregate is answered at once
  return db
}

/** Something that is rendered in a page. */
class Shown {
  readonly element = document.body.appendChild(document.createElement('div'))
  readonly errors: unknown[] = []
  readonly root = createRoot(this.element, { onUncaughtError: (error) => this.errors.push(error), onCaughtError: () => {} })

  private readonly texts = new Set<string>()
  private readonly observer = new MutationObserver(() => this.texts.add(this.text))

  constructor(node: ReactNode) {
    this.observer.observe(this.element, { subtree: true, childList: true, characterData: true, attributes: true })
    this.root.render(node)
  }

  get text(): string {
    return this.element.innerText.trim()
  }

  async shows(text: string): Promise<void> {
    await until(() => this.text === text, () => `shows ${JSON.stringify(this.text)}, expected ${JSON.stringify(text)}; ${this.errors.join()}`)
  }

  /** Resolves when it shows a text, or has shown it: React 18 takes a fallback away as soon as it can. */
  async hasShown(text: string): Promise<void> {
    await until(() => this.texts.has(text), () => `has shown ${JSON.stringify([...this.texts])}, expected ${JSON.stringify(text)}`)
  }

  async end(): Promise<void> {
    this.root.unmount()
    this.element.remove()
    await ticks()
  }
}

async function until(holds: () => boolean, what: () => string): Promise<void> {
  const end = performance.now() + 10_000
  while (!holds()) {
    ok(performance.now() < end, what())
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Some turns of the event loop, and what React does in them. */
async function ticks(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** How many live questions the engine of a database in this thread answers. */
const openQuestions = (db: AtomicDB) => (db as unknown as { connection: { current: { hub: { all: Set<unknown> } } } }).connection.current.hub.all.size

/** Counts the live questions that are opened from now on. */
function countAsked(db: AtomicDB): { asked: number } {
  const counter = { asked: 0 }
  const calls = db.calls as { live: (...args: never) => () => void }
  const { live } = calls
  calls.live = (...args) => {
    counter.asked++
    return live.apply(calls, args)
  }
  return counter
}

/** Shows what a component makes of an error that is thrown inside. */
class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    const { error } = this.state
    return error ? `caught ${(error as { code?: string }).code}` : this.props.children
  }
}

/** A storage whose appends wait for a test. */
function heldStorage() {
  const memory = new MemoryStorage()
  const held = { append: (store: () => Promise<boolean>): Promise<boolean> => store() }
  const storage: StorageBackend = {
    read: (after) => memory.read(after),
    append: (seq, bytes) => held.append(() => memory.append(seq, bytes)),
    compact: (seq, snapshot) => memory.compact(seq, snapshot),
    destroy: () => memory.destroy(),
    close: async () => {},
  }
  return { storage, held }
}

interface Claim {
  readonly name: string
  /** Whether it has components that throw: React 18 reports what a boundary catches, too. */
  readonly throws?: boolean
  /** Whether it is about what React 18 does not have. */
  readonly since19?: boolean
  run(): Promise<void>
}

export const claims: readonly Claim[] = [
  {
    name: 'a live query has its documents in the first render, and the next ones after each commit',
    async run() {
      const db = await opened({}, 3)
      const renders: string[] = []
      function List() {
        const { data, error, isLoading } = useLiveQuery<Card>('cards', 'n < 3', { sort: '-n' })
        renders.push(`${data.count()} ${error} ${isLoading}`)
        return data.map((card) => card.title).join()
      }
      const shown = new Shown(<AtomicDBProvider database={db}><List /></AtomicDBProvider>)
      await shown.shows('card 2,card 1,card 0')
      await db.insert({ title: 'new', n: 1.5 }, 'cards')
      await shown.shows('card 2,new,card 1,card 0')
      equal(renders, ['3 undefined false', '4 undefined false'])
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'with the engine in a worker, a query is loading until its first answer',
    async run() {
      const db = await opened({ worker: true })
      const renders: unknown[] = []
      function List() {
        const { data, isLoading } = useLiveQuery('cards', { column: 'open' })
        const count = useCount('cards', { column: 'open' })
        renders.push([data.length, isLoading, count.data, count.isLoading])
        return data.length
      }
      const shown = new Shown(<AtomicDBProvider database={db}><List /></AtomicDBProvider>)
      await shown.shows('10')
      await db.remove('n = 0', 'cards')
      await shown.shows('9')
      equal(renders[0], [0, true, 0, true])
      equal(renders.at(-1), [9, false, 9, false])
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'a filter that is made anew in each render asks nothing anew, and components that ask the same share one question',
    async run() {
      const db = await opened()
      const counter = countAsked(db)
      const q = db.query<Card>()
      let again = () => {}
      const asks: (() => unknown)[] = [
        () => useLiveQuery('cards', { column: 'open', n: { $gte: 2 } }, { sort: 'n', limit: 5 }).data,
        () => useLiveQuery('cards', { n: { $gte: 2 }, column: 'open' }, { limit: 5, sort: ['n'] }).data,
        () => useLiveQuery(db.collection('cards'), { column: 'open', n: { $gte: 2 } }, { sort: { n: 1 }, limit: 5, skip: undefined }).data,
        () => useLiveQuery('cards', q.n.gte(2).and(q.title.ne("it's"))).data,
        () => useLiveQuery('cards', "n >= 2 and title != 'it\\'s'").data,
        () => useCount('cards', { n: { $gte: 2 } }).data,
        () => useAggregate('cards', { groupBy: 'column', select: { n: { $count: true } } }).data,
        () => useLiveSql('SELECT n FROM cards WHERE n > :n', { n: 4 }).data,
        () => useLiveSql`SELECT n FROM cards WHERE n > ${5}`.data,
        () => useDocument('cards', 3).data,
        () => useLive((db) => db.liveDistinct('column', undefined, 'cards'), ['any', { deps: 1 }]).data,
        () => useLiveQuery('cards', (card: Card) => card.n > 3, { deps: [3] }).data,
        () => useLiveQuery('cards'),
        () => useLiveQuery('cards', { at: new Date(5), bytes: new Uint8Array(2), pattern: /a/i, big: 5n, not: null, zero: -0 }).data,
      ]
      const seen = asks.map(() => new Set<unknown>())
      const Ask = ({ i }: { i: number }) => (seen[i]!.add(asks[i]!()), null)
      function All() {
        const [n, setN] = useState(0)
        again = () => setN(n + 1)
        return <>{asks.map((_, i) => <Ask key={i} i={i} />)}renders {n}</>
      }
      const shown = new Shown(<AtomicDBProvider database={db}><All /></AtomicDBProvider>)
      await shown.shows('renders 0')
      const { asked } = counter
      for (let i = 1; i <= 5; i++) {
        again()
        await shown.shows(`renders ${i}`)
      }
      equal(counter.asked, asked, 'asked')
      equal([asked, openQuestions(db)], [11, 11], '14 hooks, of which three share one question and two another')
      equal(seen.map(({ size }) => size), asks.map(() => 1), 'the data, and what the hook returns, are the same object in each render')
      ok([...seen[0]!][0] === [...seen[2]!][0] && [...seen[0]!][0] === [...seen[1]!][0], 'they share their data')
      await shown.end()
      equal(openQuestions(db), 0, 'open after unmount')
      await db.close()
    },
  },
  {
    name: 'questions that differ are not taken for the same',
    async run() {
      const db = await opened({}, 0)
      await db.insertMany([{ a: '1', b: 1, tag: ['x'] }, { a: 1, b: '2', at: new Date(5) }, { a: 1n, b: 2, at: 5 }], 'things')
      const filters: (object | string)[] = [{ a: '1' }, { a: 1 }, { at: new Date(5) }, { at: 5 }, { b: { $in: [1, 2] } }, { b: { $in: ['1', '2'] } }, { b: { $in: ['1,2'] } }, "a = '1'", 'a = 1', { a: { $exists: true }, b: 2 }]
      const found: string[] = []
      const Ask = ({ i }: { i: number }) => <>{(found[i] = useLiveQuery('things', filters[i]).data.map((thing) => thing._id).join())}</>
      const shown = new Shown(<AtomicDBProvider database={db}>{filters.map((_, i) => <Ask key={i} i={i} />)}</AtomicDBProvider>)
      await until(() => found.length === filters.length, () => 'rendered')
      equal(found, await Promise.all(filters.map(async (filter) => (await db.search(filter, 'things')).map((thing) => thing._id).join())))
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'to move one of 20 memoised cards renders one card, and a write that touches no result renders nothing',
    async run() {
      const db = await opened()
      const renders = { board: 0, cards: [] as string[], other: 0 }
      const CardView = memo(({ card }: { card: Stored<Card> }) => {
        renders.cards.push(card.title)
        return <li>{card.title}</li>
      })
      function Column({ column }: { column: string }) {
        const { data } = useLiveQuery<Card>('cards', { column }, { sort: 'n' })
        renders.board++
        return <ul>{data.map((card) => <CardView key={card._id} card={card} />)}</ul>
      }
      function Other() {
        renders.other++
        useCount('elsewhere')
        useWriteStatus()
        return null
      }
      const shown = new Shown(<AtomicDBProvider database={db}><Column column="open" /><Column column="done" /><Column column="late" /><Other /></AtomicDBProvider>)
      await until(() => renders.cards.length === 20, () => `${renders.cards.length} cards`)
      equal(renders.board, 3)
      await db.update({ column: 'done' }, 'n = 4', 'cards')
      await ticks()
      equal([renders.cards.slice(20), renders.board], [['card 4'], 5])
      await db.update({ title: 'card four' }, 'n = 4', 'cards')
      await ticks()
      equal([renders.cards.slice(21), renders.board], [['card four'], 6])
      const others = renders.other
      await db.insert({ title: 'x', column: 'none', n: 99 }, 'cards')
      await db.update({ n: 4 }, 'n = 4', 'cards')
      await ticks()
      equal([renders.cards.length, renders.board], [22, 6])
      ok(renders.other > others, 'who looks at the status of writes is rendered')
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'components that fast refresh replaces go on with their live query: nothing is opened or asked anew, lost or loading',
    async run() {
      let opens = 0
      let db!: AtomicDB
      const open = async () => {
        opens++
        db = await opened({}, 3)
        return db
      }
      const loading: boolean[] = []
      let mounts = 0
      const cards = (text: string, signature?: string) => refreshable('Cards', function Cards() {
        const { data, isLoading } = useLiveQuery<Card>('cards', { n: { $lt: 10 } }, { sort: 'n' })
        const [mount] = useState(() => ++mounts)
        loading.push(isLoading)
        return <>{text} {data.length} {mount}</>
      }, signature)
      const app = (text: string) => refreshable('App', function App() {
        return <AtomicDBProvider database={() => open()}>{text} <First /></AtomicDBProvider>
      })
      const First = cards('first')
      const Program = app('app')
      const shown = new Shown(<Program />)
      await shown.shows('app first 3 1')
      const counter = countAsked(db)
      loading.length = 0
      const edits: [() => void, text: string, editedText: string][] = [
        [() => cards('second'), 'app second 3 1', 'app second 4 1'],
        [() => cards('third', 'another hook'), 'app third 4 2', 'app third 5 2'],
        [() => app('edited'), 'edited third 5 2', 'edited third 6 2'],
      ]
      for (const [edit, text, then] of edits) {
        edit()
        refresh()
        await shown.shows(text)
        await ticks()
        await db.insert({ n: 5 }, 'cards')
        await shown.shows(then)
        equal(openQuestions(db), 1)
      }
      equal(counter.asked, 0)
      equal(loading.includes(true), false)
      equal(opens, 1)
      await shown.end()
    },
  },
  {
    name: 'a provider opens once and closes once what its function opens, also in StrictMode',
    async run() {
      const log: string[] = []
      let db!: AtomicDB
      const open = async () => {
        log.push('open')
        db = await opened({}, 2)
        const { close } = db
        db.close = () => (log.push('close'), close.call(db))
        return db
      }
      function App({ children }: { children?: ReactNode }) {
        const { data } = useLiveQuery('cards')
        const { data: given, isLoading } = useDatabase()
        return <>{data.length} {String(isLoading)} {String(given === db)}{children}</>
      }
      const shown = new Shown(<StrictMode><AtomicDBProvider database={() => open()}><App /></AtomicDBProvider></StrictMode>)
      await shown.shows('2 false true')
      await ticks()
      equal(log, ['open'])
      shown.root.render(<StrictMode><AtomicDBProvider database={() => open()}><App>!</App></AtomicDBProvider></StrictMode>)
      await shown.shows('2 false true!')
      await db.insert({}, 'cards')
      await shown.shows('3 false true!')
      equal(log, ['open'])
      await shown.end()
      equal(log, ['open', 'close'])
      // Unmounted while it is being opened.
      const early = new Shown(<AtomicDBProvider database={() => open()}><App /></AtomicDBProvider>)
      await until(() => log.length === 3, () => 'it is being opened')
      await early.end()
      await until(() => log.length === 4, () => 'it is closed')
      // Another key is another database.
      const keyed = new Shown(<AtomicDBProvider key="a" database={() => open()}><App /></AtomicDBProvider>)
      await keyed.shows('2 false true')
      keyed.root.render(<AtomicDBProvider key="b" database={() => open()}><App /></AtomicDBProvider>)
      await until(() => log.length === 7, () => log.join())
      await keyed.shows('2 false true')
      await keyed.end()
      equal(log.join(), 'open,close,open,close,open,open,close,close')
    },
  },
  {
    name: 'a provider that is hidden closes its database, and opens it again when it is shown',
    since19: true, // Activity
    async run() {
      const resolves: ((db: AtomicDB) => void)[] = []
      const open = () => new Promise<AtomicDB>((resolve) => resolves.push(resolve))
      const Count = () => {
        const { data, isLoading } = useCount('cards')
        return <>{data} {String(isLoading)}</>
      }
      const show = (mode: 'visible' | 'hidden') => <Activity mode={mode}><AtomicDBProvider database={open}><Count /></AtomicDBProvider></Activity>
      const shown = new Shown(show('visible'))
      await shown.shows('0 true')
      shown.root.render(show('hidden'))
      await ticks()
      shown.root.render(show('visible'))
      await until(() => resolves.length === 2, () => 'opened again')
      const [first, second] = [await opened({}, 1), await opened({}, 2)]
      resolves[0]!(first)
      await ticks()
      equal([shown.text, await first.count().catch((error: { code: string }) => error.code)], ['0 true', 'closed'])
      resolves[1]!(second)
      await shown.shows('2 false')
      shown.root.render(show('hidden'))
      await ticks()
      equal(await second.count().catch((error: { code: string }) => error.code), 'closed')
      shown.root.render(show('visible'))
      await until(() => resolves.length === 3, () => 'opened once more')
      resolves[2]!(await opened({}, 3))
      await shown.shows('3 false')
      await shown.end()
    },
  },
  {
    name: 'a provider takes a promise too, and closes nothing that it has not opened',
    async run() {
      const promise = opened({}, 2)
      const Count = () => <>{useCount('cards').data}</>
      const shown = new Shown(<StrictMode><AtomicDBProvider database={promise}><Count /></AtomicDBProvider></StrictMode>)
      await shown.shows('2')
      await shown.end()
      const db = await promise
      equal([await db.count(undefined, 'cards'), openQuestions(db)], [2, 0])
      const other = await opened({}, 3)
      const swapped = new Shown(<AtomicDBProvider database={db}><Count /></AtomicDBProvider>)
      await swapped.shows('2')
      swapped.root.render(<AtomicDBProvider database={other}><Count /></AtomicDBProvider>)
      await swapped.shows('3')
      await ticks()
      equal(openQuestions(db), 0)
      await swapped.end()
      await Promise.all([db.close(), other.close()])
    },
  },
  {
    name: 'an error in opening or asking is in `error`, and is thrown where the data suspend',
    throws: true,
    async run() {
      const fails = () => AtomicDB.open('')
      function State() {
        const { error, isLoading } = useDatabase()
        const query = useLiveQuery('cards')
        return <>{error?.code} {String(isLoading)} {query.error?.code} {query.data.length} {String(query.isLoading)}</>
      }
      const shown = new Shown(<AtomicDBProvider database={fails}><State /></AtomicDBProvider>)
      await shown.shows('invalid false invalid 0 false')
      await shown.end()
      const Suspending = () => useSuspenseDatabase().name
      const thrown = new Shown(<AtomicDBProvider database={fails}><Boundary><Suspending /></Boundary></AtomicDBProvider>)
      await thrown.shows('caught invalid')
      await thrown.end()
      const db = await opened({}, 2)
      function Wrong({ where }: { where: any }) {
        const { data, error } = useLiveQuery('cards', where)
        return <>{data.length} {error?.code ?? String(error)}</>
      }
      const faulty = new Shown(<AtomicDBProvider database={db}><Wrong where="n >" /></AtomicDBProvider>)
      await faulty.shows('0 invalid')
      faulty.root.render(<AtomicDBProvider database={db}><Wrong where={5} /></AtomicDBProvider>)
      await faulty.shows('0 invalid')
      const picky = (card: any) => {
        if (card.title === 'bad') throw Object.assign(new Error('no'), { code: 'mine' })
        return true
      }
      faulty.root.render(<AtomicDBProvider database={db}><Wrong where={picky} /></AtomicDBProvider>)
      await faulty.shows('2 undefined')
      await db.insert({ title: 'bad' }, 'cards')
      await faulty.shows('2 mine')
      await db.remove("title = 'bad'", 'cards')
      await faulty.shows('2 undefined')
      await faulty.end()
      const Suspended = () => useSuspenseLiveQuery('cards', 'n >').length
      const inside = new Shown(<AtomicDBProvider database={db}><Boundary><Suspended /></Boundary></AtomicDBProvider>)
      await inside.shows('caught invalid')
      await inside.end()
      const lonely = new Shown(<Boundary><Wrong where="true" /></Boundary>)
      await lonely.shows('caught invalid')
      await lonely.end()
      const Own = () => useLiveQuery(db.collection('cards')).data.length
      const alone = new Shown(<Own />)
      await alone.shows('2')
      await alone.end()
      await db.close()
    },
  },
  {
    name: 'nothing is left of what was rendered and never shown, nor of a question that has changed',
    throws: true,
    async run() {
      const db = await opened()
      const Never = (): ReactNode => {
        useLiveQuery('cards', 'n > 1')
        throw new Error('not shown')
      }
      const failed = new Shown(<AtomicDBProvider database={db}><Boundary><Never /></Boundary></AtomicDBProvider>)
      await failed.shows('caught undefined')
      equal(openQuestions(db), 1)
      for (let i = 0; i < 30 && openQuestions(db) > 0; i++) {
        await db.insert({ n: 2 }, 'cards') // a write does not keep it open
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      equal(openQuestions(db), 0)
      await failed.end()
      const Count = ({ n }: { n: number }) => <>{useCount('cards', { n }).data}</>
      const shown = new Shown(<StrictMode><AtomicDBProvider database={db}><Count n={0} /></AtomicDBProvider></StrictMode>)
      for (let n = 0; n < 10; n++) {
        shown.root.render(<StrictMode><AtomicDBProvider database={db}><Count n={n} /></AtomicDBProvider></StrictMode>)
        await ticks()
        equal(openQuestions(db), 1)
      }
      await shown.end()
      equal(openQuestions(db), 0)
      await db.close()
    },
  },
  {
    name: 'a document is found by its id alone, also when the id changes or reads as a condition',
    async run() {
      const db = await opened({}, 3)
      await db.insert({ _id: 'true', title: 'odd' }, 'cards')
      const Title = ({ id }: { id: any }) => {
        const { data, error, isLoading } = useDocument<Card>('cards', id)
        return <>{data?.title ?? 'none'} {error?.code} {String(isLoading)}</>
      }
      const show = (id: unknown) => <AtomicDBProvider database={db}><Title id={id} /></AtomicDBProvider>
      const shown = new Shown(show(2))
      await shown.shows('card 1 false')
      await db.update({ title: 'changed' }, '_id = 2', 'cards')
      await shown.shows('changed false')
      shown.root.render(show('true'))
      await shown.shows('odd false')
      await db.remove("_id = 'true'", 'cards')
      await shown.shows('none false')
      shown.root.render(show(undefined))
      await shown.shows('none false')
      await ticks()
      equal(openQuestions(db), 0)
      shown.root.render(show('n = 1'))
      await shown.shows('none false')
      shown.root.render(show({}))
      await shown.shows('none invalid false')
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'counts, aggregates, SQL and any live value are kept current',
    async run() {
      const db = await opened()
      function All({ least }: { least: number }) {
        const count = useCount<Card>('cards', (card) => card.n >= least, { deps: [least] })
        const groups = useAggregate<{ column: string; n: number }>('cards', { groupBy: 'column', select: { n: { $count: true } }, sort: 'column' })
        const rows = useLiveSql<{ n: number }>('SELECT COUNT(*) AS n FROM cards WHERE n >= ?', [least])
        const columns = useLive((db) => db.liveDistinct('column', { n: { $gte: least } }, 'cards'), [least])
        return [count.data, groups.data.map(({ column, n }) => `${column}:${n}`).join(), rows.data.first()?.n, columns.data?.join()].join(' ')
      }
      const shown = new Shown(<AtomicDBProvider database={db}><All least={18} /></AtomicDBProvider>)
      await shown.shows('2 done:10,open:10 2 done,open')
      await db.insert({ title: 'new', column: 'late', n: 20 }, 'cards')
      await shown.shows('3 done:10,late:1,open:10 3 done,late,open')
      shown.root.render(<AtomicDBProvider database={db}><All least={19} /></AtomicDBProvider>)
      await shown.shows('2 done:10,late:1,open:10 2 done,late')
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'an infinite query grows by pages, stays one result, and keeps the documents that it has',
    async run() {
      for (const worker of [false, true]) {
        const db = await opened({ worker }, 12)
        let last!: InfiniteAnswer<Card>
        const rows: string[] = []
        const Row = memo(({ card }: { card: Stored<Card> }) => (rows.push(card.title), <>{card.n} </>))
        function Feed({ where }: { where?: string }) {
          last = useInfiniteQuery<Card>('cards', where, { sort: 'n', pageSize: 5 })
          return <>{last.data.map((card) => <Row key={card._id} card={card} />)}{String(last.hasMore)}</>
        }
        const shown = new Shown(<AtomicDBProvider database={db}><Feed /></AtomicDBProvider>)
        await shown.shows('0 1 2 3 4 true')
        last.loadMore()
        last.loadMore()
        await shown.shows('0 1 2 3 4 5 6 7 8 9 true')
        equal([rows.length, last.isLoading, last.isLoadingMore], [10, false, false])
        await db.remove('n = 3', 'cards')
        await shown.shows('0 1 2 4 5 6 7 8 9 10 true')
        last.loadMore()
        await shown.shows('0 1 2 4 5 6 7 8 9 10 11 false')
        const counter = countAsked(db)
        last.loadMore()
        await ticks()
        equal([rows.length, counter.asked], [12, 0], 'rows rendered, and asked after the end')
        shown.root.render(<AtomicDBProvider database={db}><Feed where="n > 4" /></AtomicDBProvider>)
        await shown.shows('5 6 7 8 9 true')
        await shown.end()
        await db.close()
      }
    },
  },
  {
    name: 'a mutation waits for the database, and tells what it does and what goes wrong',
    async run() {
      const { storage, held } = heldStorage()
      let go!: () => void
      const gate = new Promise<void>((resolve) => (go = resolve))
      const db = await opened({ storage, inMemory: false }, 0)
      let add!: Mutation<[string], unknown>
      function App({ prefix }: { prefix: string }) {
        add = useMutation((db, title: string) => db.insert({ _id: title, title: prefix + title }, 'cards'))
        const { data } = useLiveQuery<Card>('cards')
        const { status, error } = useWriteStatus()
        return <>{data.map((card) => card.title).join()} {String(add.isPending)} {add.error?.code ?? add.data as string} {status} {error?.code}</>
      }
      const source = gate.then(() => db)
      const show = (prefix: string) => <StrictMode><AtomicDBProvider database={source}><App prefix={prefix} /></AtomicDBProvider></StrictMode>
      const shown = new Shown(show('old '))
      await shown.shows('false saved')
      const { mutate } = add
      mutate('early')
      await shown.shows('true saved')
      shown.root.render(show('new '))
      await ticks()
      go()
      await shown.shows('new early false early saved')
      ok(add.mutate === mutate, 'the function stays the same')
      // Optimistic: shown before it is stored, and taken back when it cannot be.
      let end!: (error?: Error) => void
      held.append = (store) => new Promise((resolve, reject) => (end = (error) => error ? reject(error) : resolve(store())))
      const done = add.mutateAsync('b').then(() => 'stored', (error: { code: string }) => error.code)
      await shown.shows('new early,new b true saving')
      await ticks()
      end(new Error('broken'))
      equal(await done, 'storage')
      await shown.shows('new early false storage failed storage')
      add.reset()
      await shown.shows('new early false failed storage')
      add.mutate('c')
      await shown.shows('new early,new c true saving storage')
      end()
      await shown.shows('new early,new c false c saved')
      // What is not waited for reports nothing twice.
      add.mutate('c')
      await shown.shows('new early,new c false duplicate_id failed duplicate_id')
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'the suspense variants wait for the database and for their first answer',
    async run() {
      for (const worker of [false, true]) {
        let opens = 0
        const open = () => (opens++, opened({ worker }))
        const renders: string[] = []
        const Db = () => <>{useSuspenseDatabase().name.slice(0, 5)} </>
        const List = ({ column }: { column: string }) => {
          const cards = useSuspenseLiveQuery<Card>('cards', { column }, { sort: 'n', limit: 2 })
          renders.push(cards.map((card) => card.n).join())
          return <>{renders.at(-1)} </>
        }
        const Rest = () => <>{useSuspenseCount('cards')} {useSuspenseDocument<Card>('cards', 1)?.title} {useSuspenseAggregate('cards', { select: { n: { $max: 'n' } } })[0].n} {useSuspenseLiveSql('SELECT n FROM cards LIMIT 1').length}</>
        const show = (column: string) => (
          <StrictMode>
            <AtomicDBProvider database={() => open()} fallback="opening">
              <Suspense fallback="loading"><Db /><List column={column} /><Rest /></Suspense>
            </AtomicDBProvider>
          </StrictMode>
        )
        const shown = new Shown(show('open'))
        await shown.hasShown('loading')
        await shown.shows('react 0,2 20 card 0 19 1')
        ok(!renders.includes(''), 'it is never rendered without data')
        // In a transition, what was there stays until the next is ready.
        const texts = new Set<string>()
        const observer = new MutationObserver(() => texts.add(shown.text))
        observer.observe(shown.element, { subtree: true, childList: true, characterData: true, attributes: true })
        startTransition(() => shown.root.render(show('done')))
        await shown.shows('react 1,3 20 card 0 19 1')
        observer.disconnect()
        ok(![...texts].some((text) => text.includes('loading')), `no fallback in a transition: ${[...texts].join('; ')}`)
        await shown.end()
        equal(opens, 1)
        // The boundary of the provider, if there is no other.
        const outer = new Shown(<AtomicDBProvider database={() => open()} fallback="opening"><List column="open" /></AtomicDBProvider>)
        await outer.hasShown('opening')
        await outer.shows('0,2')
        await outer.end()
        equal(opens, 2)
      }
    },
  },
  {
    name: 'keepPrevious shows the data of the question before until the next is answered, and enabled: false asks nothing',
    async run() {
      const db = await opened({ worker: true })
      const texts: string[] = []
      function List({ column, enabled }: { column: string; enabled?: boolean }) {
        const { data, isLoading } = useLiveQuery<Card>('cards', { column }, { limit: 1, keepPrevious: true, ...(enabled !== undefined && { enabled }) })
        texts.push(`${data[0]?.column} ${isLoading}`)
        return texts.at(-1)
      }
      const show = (column: string, enabled?: boolean) => <AtomicDBProvider database={db}><List column={column} enabled={enabled!} /></AtomicDBProvider>
      const shown = new Shown(show('open', false))
      await shown.shows('undefined false')
      shown.root.render(show('open'))
      await shown.shows('open false')
      shown.root.render(show('done'))
      await shown.shows('done false')
      equal(texts, ['undefined false', 'undefined true', 'open false', 'open true', 'done false'])
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'what a server has rendered is taken over without a difference, with initial data or without',
    async run() {
      const { renderToString } = await import('react-dom/server.browser') // in Node, it would keep the process alive
      const errors: unknown[] = []
      const { error } = console
      console.error = (...args: unknown[]) => void errors.push(args.join(' '))
      try {
        const initialData = [{ _id: 1, title: 'from the server', column: 'open', n: 0 }]
        const texts: string[] = []
        function App() {
          const { data, isLoading } = useLiveQuery<Card>('cards', { column: 'open' }, { sort: 'n', limit: 1, initialData })
          const count = useCount('cards')
          const { status } = useWriteStatus()
          const first = useSuspenseLiveQuery<Card>('cards', 'n = 0', { initialData })
          useDatabase()
          useMutation((db) => db.clear('cards'))
          texts.push(data.first()!.title)
          return <p>{data.first()!.title} {String(isLoading)} {count.data} {String(count.isLoading)} {first.first()!.title} {status}</p>
        }
        const open = () => opened({ worker: true }, 3)
        const show = () => <StrictMode><AtomicDBProvider database={() => open()}><App /></AtomicDBProvider></StrictMode>
        const html = renderToString(show())
        equal(html.replaceAll(/<!--.*?-->/g, ''), '<p>from the server false 0 true from the server saved</p>')
        const element = document.body.appendChild(document.createElement('div'))
        element.innerHTML = html
        const paragraph = element.querySelector('p')
        const root = hydrateRoot(element, show(), { onRecoverableError: (error) => errors.push(error) })
        await until(() => element.innerText === 'card 0 false 3 false card 0 saved', () => `${element.innerText}; ${errors.join()}`)
        ok(element.querySelector('p') === paragraph, 'the element is the one of the server')
        equal(errors, [])
        root.unmount()
        // An open database is not asked on a server: its page has nothing of it yet.
        const ready = await opened({}, 3)
        const counter = countAsked(ready)
        const Count = () => <>{useCount('cards').data}</>
        equal(renderToString(<AtomicDBProvider database={ready}><Count /></AtomicDBProvider>).replaceAll(/<!--.*?-->/g, ''), '0')
        equal(counter.asked, 0)
        element.innerHTML = renderToString(<AtomicDBProvider database={ready}><Count /></AtomicDBProvider>)
        const other = hydrateRoot(element, <AtomicDBProvider database={ready}><Count /></AtomicDBProvider>, { onRecoverableError: (error) => errors.push(error) })
        await until(() => element.innerText === '3', () => element.innerText)
        equal(errors, [])
        other.unmount()
        element.remove()
        await ready.close()
      } finally {
        console.error = error
      }
    },
  },
  {
    name: 'nothing tears: in a slow transition, all parts of what is shown are of one state',
    async run() {
      const db = await opened({}, 0)
      await db.insert({ _id: 'counter', n: 0 }, 'counters')
      const torn: string[] = []
      let shows = (_: boolean) => {}
      function Slow() {
        const end = performance.now() + 4
        while (performance.now() < end);
        return <b>{useDocument<{ n: number }>('counters', 'counter').data!.n}</b>
      }
      function App() {
        const [isShown, setShown] = useState(false)
        shows = setShown
        return <section>{isShown ? Array.from({ length: 20 }, (_, i) => <Slow key={i} />) : 'none'}</section>
      }
      const shown = new Shown(<AtomicDBProvider database={db}><App /></AtomicDBProvider>)
      const check = () => {
        const numbers = [...shown.element.querySelectorAll('b')].map((b) => b.innerText)
        if (new Set(numbers).size > 1) torn.push(numbers.join())
      }
      const observer = new MutationObserver(check)
      observer.observe(shown.element, { subtree: true, childList: true, characterData: true })
      await shown.shows('none')
      for (let i = 0; i < 3; i++) {
        startTransition(() => shows(true))
        for (let n = 0; n < 6; n++) {
          await db.update({ $inc: { n: 1 } }, undefined, 'counters')
          await new Promise((resolve) => setTimeout(resolve, 15))
        }
        await until(() => shown.element.querySelectorAll('b').length === 20, () => 'shown')
        const { n } = (await db.get('counter', 'counters')) as unknown as { n: number }
        await shown.shows(String(n).repeat(20))
        startTransition(() => shows(false))
        await shown.shows('none')
      }
      observer.disconnect()
      equal(torn, [])
      await shown.end()
      await db.close()
    },
  },
  {
    name: 'a function as condition is compared by its deps, or by identity',
    async run() {
      const db = await opened()
      const counter = countAsked(db)
      const isEven = (card: Card) => card.n % 2 === 0
      function List({ least, n }: { least: number; n: number }) {
        const { data } = useLiveQuery<Card>('cards', (card) => card.n >= least, { deps: [least] })
        const even = useLiveQuery<Card>('cards', isEven).data
        return <>{data.length} {even.length} {n}</>
      }
      const show = (least: number, n: number) => <AtomicDBProvider database={db}><List least={least} n={n} /> <List least={least + 1} n={n} /></AtomicDBProvider>
      const shown = new Shown(show(10, 1))
      await shown.shows('10 10 1 9 10 1')
      equal(counter.asked, 3)
      shown.root.render(show(10, 2))
      await shown.shows('10 10 2 9 10 2')
      equal(counter.asked, 3)
      shown.root.render(show(11, 3))
      await shown.shows('9 10 3 8 10 3')
      equal(counter.asked, 5, 'each component has its own')
      await shown.end()
      equal(openQuestions(db), 0)
      await db.close()
    },
  },
  {
    name: 'a condition that is another function in each render is warned of, once',
    async run() {
      const db = await opened()
      const { warn } = console
      const { now } = Date
      let time = 0
      Date.now = () => time
      const warnings: string[] = []
      console.warn = (text: string) => warnings.push(text)
      try {
        const isCard = (n: number) => () => n >= 0
        function Anew({ n }: { n: number }) {
          const found = useLiveQuery('cards', isCard(n)).data.length
          const grouped = useAggregate('cards', { where: (card: Card) => card.n >= 0, select: { n: { $count: true } } }).data[0].n
          const suspended = useSuspenseCount('cards', (card: any) => card.n > -1)
          return <>{n} {found} {grouped} {suspended}</>
        }
        const stays = isCard(0)
        function Same({ n }: { n: number }) {
          return <>{n} {useLiveQuery('cards', stays).data.length} {useLiveQuery('cards', (card: Card) => card.n < 99, { deps: [] }).data.length} {useLiveQuery('cards', { n: { $lt: n + 99 } }).data.length}</>
        }
        const shown = new Shown('')
        for (let n = 0; n < 60; n++) {
          if (n < 30) time += 100 // slower than a loop
          else equal(n === 30 && warnings, n === 30 && [])
          shown.root.render(<AtomicDBProvider database={db}><Anew n={n} /> <Same n={n} /></AtomicDBProvider>)
          await shown.shows(`${n} 20 20 20 ${n} 20 20 20`)
        }
        await shown.end()
      } finally {
        console.warn = warn
        Date.now = now
      }
      equal(warnings.map((text) => text.split(' => ')[1]).sort(), ['card.n > -1', 'card.n >= 0', 'n >= 0'])
      await db.close()
    },
  },
  {
    name: 'what is mounted again at once, as a component that was edited is, asks nothing anew',
    async run() {
      const db = await opened()
      const counter = countAsked(db)
      const effects: string[] = []
      function Count() {
        useEffect(() => {
          effects.push('mount')
        }, [])
        return useCount('cards').data
      }
      const show = (key: string) => <AtomicDBProvider database={db}><Count key={key} /></AtomicDBProvider>
      const shown = new Shown(show('a'))
      await shown.shows('20')
      shown.root.render(show('b'))
      await until(() => effects.length === 2, () => effects.join())
      await shown.shows('20')
      await ticks()
      equal([counter.asked, openQuestions(db)], [1, 1])
      await shown.end()
      await db.close()
    },
  },
]
