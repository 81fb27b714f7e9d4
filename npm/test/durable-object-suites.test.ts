// The tests of the API, over connect(): the database is in a Durable Object in local workerd, and the calls are in Node.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Miniflare } from 'miniflare'
import { WebSocket } from 'undici'
import type * as atomicdb from '../src/index.js'
import { within } from './harness/deadline.js'
import { startWorker, workerModules } from './harness/workerd.js'
import { sharedSuites } from './suites/api.js'
import { aggregates } from './suites/api-aggregates.js'
import { conditions } from './suites/api-conditions.js'
import { metadata } from './suites/api-metadata.js'
import { relationships } from './suites/api-relationships.js'
import { schemas } from './suites/api-schemas.js'
import { updates } from './suites/api-updates.js'
import { values } from './suites/api-values.js'
import { runTest, type Suite } from './suites/suite.js'

const worker = `
import { AtomicDurableObject } from 'atomicdb/worker'
export class Database extends AtomicDurableObject {
  authorise() {
    return 'write'
  }
}
export default {
  fetch: (request, { DATABASE }) => DATABASE.get(DATABASE.idFromName(new URL(request.url).pathname)).fetch(request),
}
`

const { documents, sql, results, live, transactions, changes, streams } = sharedSuites as Record<string, Suite>
const suites: Record<string, Suite> = { documents: documents!, values, updates, conditions, schemas, aggregates, sql: sql!, results: results!, relationships, live: live!, metadata, transactions: transactions!, changes: changes!, streams: streams! }

/** Tests that are not for a database elsewhere, and why. */
const notHere: Record<string, string> = {
  'cannot be stored: a document of more than 16 MiB': 'its messages take a minute as text on a busy machine',
  'goes on after any number that the log has, and says which it has': 'all callers of an object share one engine, so every change is local there',
  'all of it is one write: in transactions, and when another was faster': 'undoSteps is an option of open()',
  'undoes nothing that others have changed, and nothing that is not allowed': 'undoSteps is an option of open()',
}

describe('the API over connect()', { timeout: 600_000 }, () => {
  let miniflare: Miniflare
  let lib: typeof atomicdb
  let elsewhere = 0

  before(async () => {
    const started = await startWorker(await workerModules(worker), { durableObjects: { DATABASE: { className: 'Database', useSQLite: true } } })
    miniflare = started.miniflare
    const own = (await import('atomicdb' as string)) as typeof atomicdb
    const { connect } = (await import('atomicdb/worker' as string)) as { connect(address: string, options: object): Promise<atomicdb.AtomicDB> }
    // What is asked for with options of open() is in this process: connect() takes none of them.
    const open = (name: string, options: atomicdb.OpenOptions = {}) => {
      if (Object.keys(options).length > 0) return own.AtomicDB.open(name, options)
      elsewhere++
      return connect(new URL(encodeURIComponent(name), started.address).href, { WebSocket })
    }
    lib = { ...own, AtomicDB: new Proxy(own.AtomicDB, { get: (target, name) => (name === 'open' ? open : Reflect.get(target, name)) }) }
  })
  after(() => miniflare.dispose())

  for (const [name, suite] of Object.entries(suites)) {
    describe(name, () => {
      for (const one of suite) test(one.name, { skip: notHere[one.name] }, () => within(60_000, one.name, runTest(one, lib, () => ({}))))
    })
  }

  test('most databases were in objects', () => assert.ok(elsewhere > 100, `${elsewhere}`))
})
