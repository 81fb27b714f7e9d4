// A few seconds of what `make attack` does for longer: hostile values at every call, storage and channel. Always the same
// ones, so that only a change of the package can fail it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackEverywhere } from './attack/everywhere.js'

test('no hostile value ends the engine, is internal, hangs or stays uncaught', { timeout: 900_000 }, async () => {
  const lines: string[] = []
  const failed = await attackEverywhere(1, 5, (line) => lines.push(line))
  assert.ok(!failed, lines.join('\n'))
})
