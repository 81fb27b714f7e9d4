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
 */
import { AtomicDB } from 'atomicdb'
import { Answer } from './answer.js'
import { Changes, confirmed } from './changes.js'
import { cities, time, timed } from './format.js'
import { Loader } from './loader.js'
import { WorldMap } from './map.js'
import { PlanPanel } from './plan.js'
import { Playground } from './playground.js'
import { report } from './problem.js'
import { ask } from './spellings.js'
import { inTurn, keepLooking } from './tabs.js'

const databaseName = 'atomicdb-demo'

const page = document.querySelector('main')
const state = document.getElementById('state')
const arrived = document.getElementById('keep-done')

const [db, openMillis] = await open()
const collection = db.collection('cities')

let query // the last one that ran without an error
let shownSize = -1 // documents in the collection when the map was drawn

const map = new WorldMap(document.getElementById('map'), document.getElementById('area'), corners => playground.askArea(corners))
const loader = new Loader(db, { onPiece: piece => map.add(piece), onLoaded: () => inTurn(begin), onProblem: fail })
const playground = new Playground(db, next => inTurn(() => show(next)))
const plan = new PlanPanel(db, { change, onProblem: error => playground.showProblem(error) })
const changes = new Changes(db, change)
const answer = new Answer({
  onPage: direction => inTurn(() => show({ ...query, options: { ...query.options, skip: Math.max(0, query.options.skip + direction * query.options.limit) } })),
  change,
  onRemove: id => changes.removeOne(id),
})

document.getElementById('reload').addEventListener('click', () => location.reload())
document.getElementById('second-tab').addEventListener('click', event => { event.currentTarget.href = location.href })
document.getElementById('destroy').addEventListener('click', destroy)
await inTurn(begin)
keepLooking(look, fail)

/** Opens the database, or says on the page why it cannot be. */
async function open() {
  try {
    return await timed(() => AtomicDB.open(databaseName, {
      onProgress: (bytes, total) => { state.textContent = `Opening… ${Math.round(100 * bytes / total)} %` },
    }))
  } catch (error) {
    fail(error)
    throw error
  }
}

/** Shows the playground, or the way to fill an empty database first. */
async function begin() {
  const complete = await loader.offer()
  page.classList.toggle('empty', !complete)
  page.hidden = false
  await refresh()
  if (complete) playground.run()
}

/** A change this tab makes, then the page drawn anew, before anything else has its turn. */
function change(work) {
  return inTurn(async () => {
    const result = await work()
    await refresh()
    return result
  })
}

async function refresh() {
  await plan.refresh()
  await drawAll()
  if (query) await show(query)
}

/** Runs a query and shows its answer in every part of the page. Returns what Answer.flash wants. */
async function show(next) {
  try {
    const [found, millis] = await timed(() => ask(collection, next, next.options))
    const total = await collection.count(next.where)
    plan.show(await db.explain(next.where, { ...next.options, collection: 'cities' }), next, shownSize)
    playground.showProblem(undefined)
    page.classList.remove('stale')
    query = next
    changes.aim(next, total)
    const before = answer.show(found.tracked(), { total, skip: next.options.skip, millis })
    map.setMatches(await ask(collection, next, { fields: ['lat', 'lng'] }))
    return before
  } catch (error) {
    playground.showProblem(error)
    page.classList.add('stale')
    return undefined
  }
}

/** Draws what other tabs changed, and lights it up. */
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
  if (grown) await drawAll()
  const before = await show(query)
  if (before) answer.flash(before)
  arrived.textContent = 'Another tab wrote; what it changed is on the page.'
}

async function drawAll() {
  map.setAll(await collection.search(undefined, { fields: ['lat', 'lng'] }))
  shownSize = await collection.count()
  const loaded = loader.millis === undefined ? `opened in ${time(openMillis)}` : `inserted and stored in ${time(loader.millis)}`
  state.textContent = `${cities(shownSize)} in this browser, ${loaded}`
}

async function destroy() {
  if (!await confirmed('Destroy the database, and everything in it?', 'Destroy it')) return
  try {
    await db.close()
    await AtomicDB.destroy(databaseName)
    location.reload()
  } catch (error) {
    fail(error)
  }
}

/** An error that no single part of the page is about. */
function fail(error) {
  report(document.getElementById('failure'), error)
}
