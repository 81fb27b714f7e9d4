// What a connection that several databases hold does at the edges: the rest is in open-twice.test.ts, in a page.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EarlierState, Feed, FeedListener } from '../src/connection/feeds.js'
import { HeldConnections, type Shareable } from '../src/connection/held-connection.js'
import type { LiveListener } from '../src/connection/live.js'
import { AtomicDBError } from '../src/errors.js'

/** Two holders of a connection that does as told. */
async function twoHolders(inner: Partial<Shareable>) {
  const connections = new HeldConnections<Shareable>()
  const open = async () => ({ catchUp: async () => {}, flush: async () => {}, close: async () => {}, ...inner }) as Shareable
  const [a, b] = [await connections.hold('key', open), await connections.hold('key', open)]
  return [a.held, b.held] as const
}

test('what ends while it is begun is told once, and is not stopped again', async () => {
  const error = new AtomicDBError('internal', 'on purpose')
  const told: unknown[] = []
  let stops = 0
  const end = (listener: LiveListener | FeedListener) => {
    listener.ended(error)
    return () => void stops++
  }
  const [held] = await twoHolders({
    live: (_, listener) => end(listener),
    feed: (_, listener): Feed => ({ after: Promise.resolve(0), next: async () => new Uint8Array(), close: end(listener) }),
  })
  const stop = held.live({ ask: () => 1 }, { told: () => {}, ended: (error) => told.push(error) })
  held.feed(undefined, { stored: () => {}, ended: (error) => told.push(error) })
  assert.deepEqual(told, [error, error])
  await held.close()
  assert.deepEqual([told.length, stops], [2, 0])
  stop()
  assert.equal(stops, 1)
})

test('what a holder has begun ends with it, and is told that once, also if to stop it tells', async () => {
  const told: unknown[] = []
  const [held, other] = await twoHolders({
    live: (_, listener) => () => listener.ended(undefined),
    feed: (_, listener): Feed => ({ after: Promise.resolve(0), next: async () => new Uint8Array(), close: () => listener.ended(undefined) }),
  })
  held.live({ ask: () => 1 }, { told: () => {}, ended: () => told.push('live') })
  held.feed(undefined, { stored: () => {}, ended: () => told.push('feed') })
  other.live({ ask: () => 1 }, { told: () => {}, ended: () => told.push('other') })
  await held.close()
  assert.deepEqual(told, ['live', 'feed'])
})

test('an earlier state that comes when its holder is closed is released at once', async () => {
  let give!: (state: EarlierState) => void
  let closed = 0
  const [held, other] = await twoHolders({ at: () => new Promise((resolve) => (give = resolve)) })
  const pending = held.at(1)
  await held.close()
  give({ read: async () => assert.fail('nobody may read'), close: async () => void closed++ })
  await assert.rejects(pending, { code: 'closed' })
  assert.equal(closed, 1)
  await other.close()
  assert.equal(closed, 1)
})
