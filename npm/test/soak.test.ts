// An hour of what `make soak` does for days.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { soak } from './soak/soak.js'

test(`an hour of tabs that are killed, storages that fail and clocks that jump loses no write (${replayOf('soak.test.ts')})`, { timeout: 900_000 }, async () => {
  const { acknowledged, faults, conflicts, kills, jumps, audits } = await soak(new Random(seed), 1)
  assert.equal(audits, 2)
  assert.ok(acknowledged > 300 && faults > 5 && conflicts > 50 && kills > 5 && jumps > 5, 'it does nothing')
})
