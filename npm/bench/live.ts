import { same, sameById } from './answers.js'
import { filled, halves, inHalf, isKept, updated, type Figure, type Work, type Workload } from './workloads.js'
import type { Database } from './library.js'
import { highestScore, makePeople, type Person } from './people.js'

/** Inserts of one row, one after the other. */
const inserts = 50
const untouched = 100

/** The rows of live queries and of other tabs. Each asks of a library what it has. */
export const liveWorkloads: Record<string, Workload> = {
  liveMemory: {
    title: 'insert to the callback of a live filter, memory',
    inMemory: true,
    needs: 'live',
    run: (work) => insertToCallback(work, false, 0),
  },
  liveUntouched: {
    title: `the same beside ${untouched} live queries that it does not touch, memory`,
    inMemory: true,
    needs: 'live',
    run: (work) => insertToCallback(work, false, untouched),
  },
  liveSorted: {
    title: 'update of one document to the callback of a live query of all, sorted, memory',
    inMemory: true,
    needs: 'liveSorted',
    run: updateToCallback,
  },
  liveDurable: {
    title: 'insert to the callback of a live filter, durable',
    durable: true,
    needs: 'live',
    run: (work) => insertToCallback(work, true, 0),
  },
  otherTab: {
    title: 'insert to the callback of a live filter in another tab',
    durable: true,
    needs: 'tabs',
    run: insertToOtherTab,
  },
  secondTab: {
    title: 'a second tab opens, to its first answer',
    durable: true,
    needs: 'secondTab',
    run: (work) => openSecondTab(work, 'open'),
  },
  secondTabShared: {
    title: 'a second tab opens, with one engine for all tabs',
    durable: true,
    needs: 'shared',
    run: (work) => openSecondTab(work, 'openShared'),
  },
}

const half = halves[0]!

/** A person who joins the answer about `half`, and no answer about scores below the highest. */
const newcomer = (n: number): Person => ({
  ...makePeople(1, 7)[0]!, _id: `live ${n}`, email: `live ${n}`, active: half.active, address: { city: half.city, zip: '00000' }, score: highestScore,
})

/** Those that the rows before these have left in the storage. */
const storedPeople = ({ people }: Work) => updated(people).filter(isKept)

async function insertToCallback(work: Work, stored: boolean, others: number): Promise<Figure> {
  const db = await filled(work, stored)
  for (let n = 0; n < others; n++) {
    const width = (highestScore * 100) / work.people.length
    const low = ((highestScore - width - 1) * n) / others
    await db.live!.withScore(low, low + width, () => {}) // some libraries call it again with the same answer
  }
  const { seen, next } = listener((told) => db.live!.inCity(half.city, half.active, told))
  await seen
  let millis = 0
  let last: readonly Person[] = []
  for (let n = 0; n < inserts; n++) {
    const person = newcomer(n)
    const heard = next((people) => people.some(({ _id }) => _id === person._id))
    const start = performance.now()
    const written = db.insert(person)
    last = await heard
    millis += performance.now() - start
    await written
  }
  sameById([...last], [...inHalf(stored ? storedPeople(work) : work.people, half), ...Array.from({ length: inserts }, (_, n) => newcomer(n))])
  return { micros: (millis * 1_000) / inserts, operations: inserts }
}

async function updateToCallback(work: Work): Promise<Figure> {
  const db = await filled(work)
  const { seen, next } = listener((told) => db.live!.byScore!(told))
  const all = await seen
  same(all.length, work.people.length)
  const person = all[all.length >> 1]!
  let { active } = person
  let millis = 0
  for (let n = 0; n < inserts; n++) {
    active = !active
    const heard = next((people) => people.find(({ _id }) => _id === person._id)!.active === active)
    const start = performance.now()
    const written = db.setActive(person._id, active)
    const people = await heard
    millis += performance.now() - start
    same(people.length, work.people.length)
    await written
  }
  return { micros: (millis * 1_000) / inserts, operations: inserts }
}

/** A live query: its first answer, and the first from now on that is as somebody wants it. */
function listener(open: (told: (people: readonly Person[]) => void) => unknown) {
  let wanted: (people: readonly Person[]) => boolean = () => true
  let resolve!: (people: readonly Person[]) => void
  const next = (wants: (people: readonly Person[]) => boolean) => {
    wanted = wants
    return new Promise<readonly Person[]>((resolved) => (resolve = resolved))
  }
  const seen = next(() => true)
  const opened = Promise.resolve(open((people) => wanted(people) && resolve(people)))
  return { seen: opened.then(() => seen), next }
}

// A page of the benchmark opens other tabs by itself, and talks with them over a channel.

/** What the other tab does. */
export type Role = 'listens' | 'open' | 'openShared'

/** What a tab tells: that it is ready, with the time since it began to load, or when it has heard of a person. */
interface Told {
  ready?: number
  heard?: { id: string; at: number }
}

/** Milliseconds, the same in all tabs of the machine. */
const now = () => performance.timeOrigin + performance.now()

/** What a tab does that another has opened. */
export async function runRole(role: Role, work: Work): Promise<void> {
  const { library } = work
  const channel = new BroadcastChannel('other tab')
  const tell = (told: Told) => channel.postMessage(told)
  if (role === 'listens') {
    const db = await library.openInTabs!('durable')
    const known = new Set<string>()
    let isReady = false
    await db.live!.inCity(half.city, half.active, (people) => {
      const at = now()
      for (const { _id } of people) {
        if (!known.has(_id) && isReady) tell({ heard: { id: _id, at } })
        known.add(_id)
      }
      isReady = true
      tell({ ready: performance.now() })
    })
    return
  }
  const { email } = makePeople(50, work.seed).find(isKept)!
  const db = await library[role]!('durable', true)
  const found = await db.withEmail(email)
  const ready = performance.now() // from the start of the navigation
  same(found.length, 1)
  tell({ ready })
}

/** Opens a tab with a process of its own, and returns what it tells first. */
async function openTab(role: Role): Promise<{ channel: BroadcastChannel; ready: number }> {
  const channel = new BroadcastChannel('other tab')
  const address = new URL(location.href)
  const options = JSON.parse(decodeURIComponent(address.search.slice(1))) as object
  address.search = encodeURIComponent(JSON.stringify({ ...options, role }))
  const ready = new Promise<number>((resolve) => {
    channel.onmessage = ({ data }: MessageEvent<Told>) => data.ready !== undefined && resolve(data.ready)
  })
  open(address, '_blank', 'noopener')
  return { channel, ready: await ready }
}

async function insertToOtherTab(work: Work): Promise<Figure> {
  const db = (work.db = await work.library.openInTabs!('durable'))
  const { channel } = await openTab('listens')
  let millis = 0
  for (let n = 0; n < inserts; n++) {
    const person = { ...newcomer(n), _id: `tab ${n}`, email: `tab ${n}` }
    const heard = new Promise<number>((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<Told>) => data.heard?.id === person._id && resolve(data.heard.at)
    })
    const start = now()
    await db.insert(person)
    millis += (await heard) - start
  }
  channel.close()
  return { micros: (millis * 1_000) / inserts, operations: inserts }
}

async function openSecondTab(work: Work, way: 'open' | 'openShared'): Promise<Figure> {
  const db: Database = (work.db = await work.library[way]!('durable', true))
  same((await db.withEmail(work.people.find(isKept)!.email)).length, 1)
  const { channel, ready } = await openTab(way)
  channel.close()
  return { micros: ready * 1_000, operations: 1 }
}
