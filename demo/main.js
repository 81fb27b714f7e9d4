/**
 * The demo page of AtomicDB. This file opens the database and connects the
 * parts; each part is a file named after what it shows:
 *
 *   loader.js      the button and the bar that fill the database (cities.js)
 *   playground.js  the form a query is written in (spellings.js, examples.js)
 *   answer.js      the result table, whose cells can be edited
 *   map.js         the same result as dots
 *   plan.js        how the query ran, and the indexes
 *   changes.js     insert, update, remove
 *   tabs.js        noticing what other tabs write
 *
 * All of them draw under one lock, lock.js.
 */
import { AtomicDB } from 'atomicdb'
import { Answer } from './answer.js'
import { Changes, confirmed } from './changes.js'
import { cities, time, timed } from './format.js'
import { nextFrame } from './frame.js'
import { Loader } from './loader.js'
import { withLock } from './lock.js'
import { WorldMap } from './map.js'
import { PlanPanel } from './plan.js'
import { Playground } from './playground.js'
import { report } from './problem.js'
import { ask } from './spellings.js'
import { keepLooking, tellDestroyed } from './tabs.js'

const databaseName = 'atomicdb-demo'

const page = document.querySelector('main')
const state = document.getElementById('state')

const [db, openMillis] = await open()
const collection = db.collection('cities')

let query // the last query that ran without an error
let shownSize = -1 // the number of documents that the page shows
let drawing = 0 // counts the drawings of the map; a drawing stops when a later one has begun

const map = new WorldMap(document.getElementById('map'), document.getElementById('area'), corners => playground.askArea(corners))
const loader = new Loader(db, { onPiece: piece => map.add(piece), onLoaded: () => withLock(begin), onProblem: fail })
const playground = new Playground(collection, next => withLock(() => show(next)))
const plan = new PlanPanel(collection, { change, onProblem: error => playground.showProblem(error) })
const changes = new Changes(collection, change)
const answer = new Answer({
  onPage: direction => withLock(() => show({ ...query, options: { ...query.options, skip: Math.max(0, query.options.skip + direction * query.options.limit) } })),
  change,
  onRemove: id => changes.removeOne(id),
})

document.getElementById('reload').addEventListener('click', () => location.reload())
document.getElementById('second-tab').addEventListener('click', event => { event.currentTarget.href = location.href })
document.getElementById('destroy').addEventListener('click', destroy)
await withLock(begin)
keepLooking(look, fail)

/** Opens the database, or shows on the page why that failed. */
async function open() {
  try {
    return await timed(() => AtomicDB.open(databaseName, {
      onProgress: (bytes, total) => { state.textContent = `Opening… ${Math.round(100 * bytes / total)} %` },
    }))
  } catch (error) {
    state.textContent = 'Not open'
    fail(error)
    throw error
  }
}

/** Shows the playground, or the loader if the database is not full yet. */
async function begin() {
  const complete = await loader.offer()
  page.classList.toggle('empty', !complete)
  page.hidden = false
  await refresh()
  if (complete) playground.run()
}

/** Makes a change and draws the page again, both under one lock. */
function change(work) {
  return withLock(async () => {
    const result = await work()
    await refresh()
    return result
  })
}

async function refresh() {
  await plan.refresh()
  if (query) await show(query)
  await saySize()
  drawWorld().catch(fail)
}

/** Runs a query and shows its answer in every part of the page. Returns the rows before it, for Answer.flash. */
async function show(next) {
  try {
    const [found, millis] = await timed(() => ask(collection, next, next.options))
    const total = await collection.count(next.where)
    await plan.show(next)
    playground.showProblem(undefined)
    page.classList.remove('stale')
    query = next
    changes.aim(next, total)
    const before = answer.show(found.tracked(), { total, skip: next.options.skip, millis })
    await nextFrame() // the table appears first, since a hundred thousand dots take a while
    map.setMatches(await ask(collection, next, { fields: ['lat', 'lng'] }))
    return before
  } catch (error) {
    playground.showProblem(error)
    page.classList.add('stale')
    return undefined
  }
}

/** Draws what other tabs have changed, and highlights it. */
async function look() {
  const size = await collection.count()
  const grown = size !== shownSize
  if (loader.isLoading) return
  if (page.classList.contains('empty')) {
    if (grown) await begin()
    return
  }
  if (!query || answer.isBusy) return
  if (!grown && !answer.differs(await ask(collection, query, query.options))) return
  const before = await show(query)
  if (before) answer.flash(before)
  await saySize('another tab wrote')
  drawWorld().catch(fail)
}

/** Shows the number of documents, followed by `news`: by default, how long loading or opening took. */
async function saySize(news = loader.millis === undefined ? `opened in ${time(openMillis)}` : `stored in ${time(loader.millis)}`) {
  shownSize = await collection.count()
  state.textContent = `${cities(shownSize)} in this browser, ${news}`
}

/** Reads the place of every city and draws them. Reads in pieces, so that the page stays responsive. */
async function drawWorld() {
  const own = ++drawing
  const atOnce = 20_000
  const first = map.isEmpty // then each piece is drawn when it comes
  const all = []
  for (let skip = 0; ; skip += atOnce) {
    const points = await collection.search(undefined, { fields: ['lat', 'lng'], skip, limit: atOnce })
    if (own !== drawing) return
    if (first) map.add(points)
    else all.push(...points)
    if (points.length < atOnce) break
    await nextFrame()
  }
  if (!first) map.setAll(all)
}

async function destroy() {
  if (!await confirmed('Destroy the database, and everything in it?', 'Destroy it')) return
  drawing++ // stops the drawing that is under way
  withLock(async () => {
    await db.close()
    await AtomicDB.destroy(databaseName)
    tellDestroyed()
    location.reload()
    await new Promise(() => {}) // keeps the lock: the page is about to go
  }).catch(fail)
}

/** Shows an error that belongs to no single part of the page. */
function fail(error) {
  report(document.getElementById('failure'), error)
}
