/**
 * Prints the sizes of the files that users download. Fails if one is above its
 * budget, which is in "sizeBudgets" of package.json:
 *
 *     node npm/scripts/size.mjs
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const npm = fileURLToPath(new URL('..', import.meta.url))
const { sizeBudgets } = JSON.parse(await readFile(join(npm, 'package.json'), 'utf8'))

const ways = {
  raw: async (bytes) => bytes,
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
  brotli: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(12)

let over = 0
console.log('file'.padEnd(20), ...Object.keys(ways).flatMap((way) => [way.padStart(12), 'budget'.padStart(12)]))
for (const [file, budgets] of Object.entries(sizeBudgets)) {
  const bytes = await readFile(join(npm, file))
  const cells = []
  for (const [way, compress] of Object.entries(ways)) {
    const { length } = await compress(bytes)
    const budget = budgets[way]
    cells.push(kB(length), budget === undefined ? ''.padStart(12) : kB(budget))
    if (length > budget) {
      over++
      cells.push('OVER')
    }
  }
  console.log(file.padEnd(20), ...cells)
}
if (over > 0) {
  console.error(`\n${over} above budget. Find out what has grown before raising a budget in package.json.`)
  process.exit(1)
}
