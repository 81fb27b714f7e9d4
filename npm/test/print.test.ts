// A condition of the builder, its text and its filter, as the engine's parser reads them.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { startBridge, type Bridge } from '../src/engine/bridge.js'
import { queryBuilder } from '../src/query/builder.js'
import { encoding } from '../src/msgpack/encode.js'
import { Op } from '../src/engine/ops.js'
import { writeWhere } from '../src/query/where.js'
import { testWasm } from './harness/node.js'
import { asFilter, built, condition } from './random/conditions.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

describe(`5,000 random conditions (${replayOf('print.test.ts')})`, () => {
  let bridge: Bridge
  before(async () => {
    bridge = await startBridge(testWasm)
  })

  /** What the engine makes of `where`, written in its own words. */
  function canonical(where: unknown): unknown {
    return encoding('where', (encoder) => {
      writeWhere(encoder.array(1), where)
      return bridge.value(0, Op.parse, encoder)
    })
  }

  test('are the same tree as their text and as their filter', () => {
    const random = new Random(seed)
    let filters = 0
    for (let n = 0; n < 5_000; n++) {
      const data = condition(random, 4)
      const one = built(queryBuilder(), data, random)
      const tree = canonical(one)
      assert.equal(canonical(String(one)), tree, String(one))
      const filter = asFilter(data)
      if (!filter) continue
      filters++
      assert.equal(canonical(filter), tree, inspect(filter, { depth: null }))
    }
    assert.ok(filters > 1_000, `only ${filters} have a filter`)
  })
})
