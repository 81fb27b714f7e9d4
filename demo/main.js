/**
 * The demo page of AtomicDB. This file opens the database and connects the
 * parts; each part is a file named after what it shows:
 *
 *   settings.js    the storage that the visitor chose, and memory where it is denied
 *   cities.js      the starter, and the rest behind it
 *   playground.js  the form a query is written in (spellings.js, examples.js)
 *   answer.js      the result as a grid, whose cells can be edited (chart.js)
 *   map.js         the same result as dots
 *   panels.js      the tabs: plan.js and timing.js, plug.js, changes.js, files.js, inspect.js
 *   pane.html      the second pane, a page of its own
 *
 * What draws does so under one lock, lock.js.
 */
import { Answer } from './answer.js'
import { Changes, confirmed } from './changes.js'
import { loadRest, loadStarter } from './cities.js'
import { startCopying } from './copy.js'
import { startFiles } from './files.js'
import { cities, timed } from './format.js'
import { nextFrame } from './frame.js'
import { inspect } from './inspect.js'
import { withLock } from './lock.js'
import { WorldMap } from './map.js'
import { startPanels } from './panels.js'
import { PlanPanel } from './plan.js'
import { Playground } from './playground.js'
import { startPlug } from './plug.js'
import { report } from './problem.js'
import { chooseStorage, destroyStored, openChosen, storageChoice } from './settings.js'
import { ask, rowsOf, spellings } from './spellings.js'

const page = document.querySelector('main')
const state = document.getElementById('state')
const pane = document.getElementById('second')

let query // the last query that ran without an error
let size = 0 // the number of cities
let drawing = 0 // counts the drawings of the map; a drawing stops when a later one has begun
let loading = true

startCopying('copy-install', () => document.getElementById('install').textContent)
startCopying('share', () => location.href)
const channel = new BroadcastChannel('atomicdb-demo')
channel.onmessage = () => location.reload() // another tab has destroyed the database

const { db, kind, refused } = await openChosen((bytes, total) => { state.textContent = `Opening… ${Math.round(100 * bytes / total)} %` }).catch(error => {
  state.textContent = 'Not open'
  fail(error)
  throw error
})
if (refused) {
  const notice = document.getElementById('notice')
  notice.hidden = false
  notice.textContent = `This browser denies the storage, so the database is in memory: it works, and is gone on reload. (${refused.message})`
}

const collection = db.collection('cities')
const map = new WorldMap(document.getElementById('map'), document.getElementById('area'), corners => playground.askArea(corners))
const playground = new Playground(collection, next => withLock(() => show(next)))
const plan = new PlanPanel(collection, { change, onProblem: error => playground.showProblem(error) })
const changes = new Changes(collection, change)
const answer = new Answer({
  onPage: direction => withLock(() => show({ ...query, options: { ...query.options, skip: Math.max(0, query.options.skip + direction * query.options.limit) } })),
  change,
  onRemove: id => changes.removeOne(id),
})
const panels = startPanels(id => { if (id === 'inspect') look() })
startPlug()
startFiles(db, { onDrop: () => panels.show('files'), onLoaded: name => playground.askSql(`SELECT * FROM ${name} LIMIT 100`) })

document.getElementById('inspect-again').addEventListener('click', look)
const openPane = document.getElementById('open-pane')
if (kind === 'memory') {
  openPane.textContent = 'A second pane needs a storage: this database is in memory'
  openPane.ariaDisabled = 'true'
} else openPane.addEventListener('click', () => {
  pane.hidden = false
  pane.src = 'pane.html'
})
document.getElementById('storage').value = storageChoice()
document.getElementById('storage-form').addEventListener('submit', event => {
  event.preventDefault()
  chooseStorage(document.getElementById('storage').value)
  location.reload()
})
document.getElementById('reload').addEventListener('click', () => location.reload())
document.getElementById('destroy').addEventListener('click', destroy)

try {
  await withLock(begin)
  playground.start()
  db.onChange(noticeOthers, fail)
  await loadRest(db, piece => {
    map.add(piece)
    withLock(async () => {
      await saySize()
      if (query && !answer.isBusy && !spellings[query.spelling].rows) await show(query)
    })
  })
  loading = false
  await withLock(refresh)
} catch (error) {
  fail(error)
}

/** Stores the starter if there is nothing, and draws what is stored. */
async function begin() {
  await loadStarter(db)
  await saySize()
  await plan.refresh()
  await drawWorld()
  page.dataset.ready = 'starter'
}

/** Makes a change and draws the page again, both under one lock. */
function change(work) {
  return withLock(async () => {
    const result = await work()
    plan.timing.forget()
    await refresh()
    return result
  })
}

async function refresh() {
  await plan.refresh()
  await saySize()
  if (query) await show(query)
  if (!loading) page.dataset.ready = 'all'
  drawWorld().catch(fail)
}

/** Runs a query and shows its answer in every part of the page. Returns the error that it showed instead. */
async function show(next, others = false) {
  try {
    const { rows: isRows } = spellings[next.spelling]
    const [found, millis] = await timed(() => isRows ? rowsOf(db, next) : ask(collection, next, next.options))
    const page = { millis, all: size, ...(!isRows && { total: await collection.count(next.where), skip: next.options.skip }) }
    query = next
    const before = answer.show(isRows ? found : found.tracked(), page)
    if (others) answer.flash(before)
    if (isRows) await plan.showRows(db, next, millis)
    else {
      changes.aim(next, page.total)
      await plan.show(next, millis, size)
    }
    await nextFrame() // the table appears first, since a hundred thousand dots take a while
    map.setMatches(isRows ? found.filter(row => typeof row.lat === 'number' && typeof row.lng === 'number') : await ask(collection, next, { fields: ['lat', 'lng'] }))
    if (isRows && /\b(insert|update|delete)\b/i.test(next.text)) await saySize()
    return undefined
  } catch (error) {
    playground.showProblem(error)
    return error
  }
}

let noticed = false

/** Draws what other tabs and the second pane have changed, once for all changes of a moment. */
function noticeOthers({ local }) {
  if (local || noticed) return
  noticed = true
  withLock(async () => {
    await nextFrame()
    noticed = false
    plan.timing.forget()
    await saySize()
    if (query && !answer.isBusy && !spellings[query.spelling].rows) await show(query, true)
    if (!loading) drawWorld().catch(fail)
  }).catch(fail)
}

async function saySize() {
  size = await collection.count()
  state.textContent = `${cities(size)} ${kind === 'memory' ? 'in memory' : 'in this browser'}${loading ? ', more coming' : ''}`
}

/** Reads the place of every city and draws them. Reads in pieces, so that the page stays responsive. */
async function drawWorld() {
  const own = ++drawing
  const atOnce = 20_000
  const all = []
  for (let skip = 0; ; skip += atOnce) {
    const points = await collection.search(undefined, { fields: ['lat', 'lng'], skip, limit: atOnce })
    if (own !== drawing) return
    all.push(...points)
    if (points.length < atOnce) break
    await nextFrame()
  }
  map.setAll(all)
}

function look() { inspect(db, kind).catch(fail) }

async function destroy() {
  if (!await confirmed('Destroy the database, and everything in it?', 'Destroy it')) return
  drawing++ // stops the drawing that is under way
  withLock(async () => {
    pane.remove() // it has the database open
    await db.close()
    await destroyStored(kind)
    channel.postMessage('destroyed')
    location.reload()
    await new Promise(() => {}) // keeps the lock: the page is about to go
  }).catch(fail)
}

/** Shows an error that belongs to no single part of the page. */
function fail(error) {
  report(document.getElementById('failure'), error)
}
