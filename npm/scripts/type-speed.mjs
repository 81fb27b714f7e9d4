/**
 * Measures what the types of collections cost tsc: a program of 50 typed collections of 30 fields with some calls each,
 * and the same program with `any` for its types. Needs a built package.
 *
 *     node npm/scripts/type-speed.mjs [tsc.js ...]
 *
 * Without arguments, with the tsc of the package.
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const npm = fileURLToPath(new URL('..', import.meta.url))
// Inside the package, so that its own name resolves to what was built.
const folder = join(npm, '.build/type-speed')

/** A program with `count` collections. Fields have other names in each, so that no type is made once for all. */
function program(count, typed) {
  const parts = ["import type { AtomicDB } from 'atomicdb'\ndeclare const db: AtomicDB\ndeclare const path: string\n"]
  for (let i = 0; i < count; i++) {
    const texts = Array.from({ length: 10 }, (_, n) => `text${n}_${i}: string`)
    const numbers = Array.from({ length: 10 }, (_, n) => `number${n}_${i}${n % 2 ? '?' : ''}: number`)
    parts.push(`
interface Place${i} { city${i}: string; zip${i}: number; geo${i}: { lat${i}: number; lon${i}: number } }
interface Item${i} { sku${i}: string; price${i}: number; places${i}: Place${i}[] }
interface Document${i} {
  ${[...texts, ...numbers].join('\n  ')}
  kind${i}: 'a' | 'b' | 'c'
  at${i}: Date
  tags${i}: string[]
  home${i}: Place${i}
  work${i}?: Place${i}
  items${i}: Item${i}[]
  more${i}: Record<string, number>
  next${i}?: Document${i}
  flag${i}: boolean
  big${i}: bigint
}
const c${i} = db.collection<${typed ? `Document${i}` : 'any'}>('c${i}')
const q${i} = c${i}.query()
c${i}.search(q${i}.text0_${i}.eq('x').and(q${i}.number0_${i}.gt(5), q${i}.items${i}.places${i}.geo${i}.lat${i}.lt(5)), { sort: ['-number1_${i}', 'home${i}.city${i}'], fields: ['text1_${i}', 'items${i}.price${i}'] })
c${i}.find({ text0_${i}: 'x', number0_${i}: { $gt: 5 }, 'home${i}.geo${i}.lat${i}': { $lt: 5 }, kind${i}: { $in: ['a', 'b'] }, items${i}: { $elemMatch: { price${i}: { $gt: 5 } } } }, { sort: path })
c${i}.update({ $set: { text1_${i}: 'x' }, $inc: { number0_${i}: 1 }, $push: { tags${i}: 'x' } }, q${i}.kind${i}.eq('a'))
c${i}.update({ 'home${i}.city${i}': 'x', flag${i}: true })
c${i}.atomicUpdate((document) => ({ number0_${i}: document.number0_${i} + 1 }))
c${i}.aggregate({ groupBy: 'home${i}.city${i}', select: { n: { $count: true }, sum: { $sum: 'number0_${i}' }, last: { $max: 'at${i}' } } })
c${i}.createIndex('home${i}.city${i}', 'number0_${i}', { unique: true })
c${i}.get(1).then((document) => document?.items${i}[0]?.price${i})
`)
  }
  return parts.join('')
}

/** What tsc says of one program: the figures that count. */
async function measured(tsc, file) {
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', '--types', 'none', '--skipLibCheck', '--extendedDiagnostics']
  const ignore = ['--ignoreConfig'] // from TypeScript 6 on; older ones ignore it when files are named
  const { stdout } = await run(process.execPath, [tsc, ...options.filter((option, at) => option !== '--types' && options[at - 1] !== '--types'), '--typeRoots', 'none', ...(await takes(tsc, ignore[0]) ? ignore : []), file]).catch((error) => {
    throw new Error(`${tsc}: ${error.stdout || error.message}`)
  })
  const figure = (name) => /[\d.]+/.exec(stdout.split('\n').find((line) => line.startsWith(`${name}:`)) ?? '')?.[0] ?? '?'
  return { instantiations: figure('Instantiations'), types: figure('Types'), check: figure('Check time'), total: figure('Total time') }
}

async function takes(tsc, option) {
  const { stdout } = await run(process.execPath, [tsc, '--version'])
  return option === '--ignoreConfig' && Number(/\d+/.exec(stdout)[0]) >= 6
}

const files = {}
await mkdir(folder, { recursive: true })
for (const name of ['any', 'typed']) {
  files[name] = join(folder, `${name}.ts`)
  await writeFile(files[name], program(50, name === 'typed'))
}
const compilers = process.argv.length > 2 ? process.argv.slice(2) : [join(npm, 'node_modules/typescript/bin/tsc')]
for (const tsc of compilers) {
  const { stdout } = await run(process.execPath, [tsc, '--version'])
  console.log(`TypeScript ${stdout.trim().split(' ').at(-1)}`)
  for (const name of Object.keys(files)) {
    const runs = []
    for (let i = 0; i < 3; i++) runs.push(await measured(tsc, files[name]))
    const best = runs.sort((a, b) => a.check - b.check)[0]
    console.log(`  ${name.padEnd(5)} check ${best.check} s, in all ${best.total} s, ${best.instantiations} instantiations, ${best.types} types`)
  }
}
