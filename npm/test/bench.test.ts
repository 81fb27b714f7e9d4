// The benchmark cannot rot: every workload runs once, small, against AtomicDB and each peer. The run
// fails if one answer differs from plain JavaScript's.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { steps } from '../bench/rxdb-suite/suite.js'
import { Groups } from '../bench/groups.js'
import type { Database, Library } from '../bench/library.js'
import { makePeople, type Person } from '../bench/people.js'
import { workloads as allWorkloads } from '../bench/all.js'
import { workloads, type Work } from '../bench/workloads.js'
import { packageFolder } from './harness/site.js'

test('make bench runs, and every answer is right', { timeout: 600_000 }, async () => {
  const env = { ...process.env, QUICK: '1', SIZES: '1000' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/run.ts'], { cwd: packageFolder, env })
  for (const { title } of Object.values(allWorkloads)) assert.ok(stdout.includes(`| ${title} `), `no row "${title}" in:\n${stdout}`)
  for (const title of Object.values(steps)) assert.ok(stdout.includes(`| ${title} `), `no row "${title}" in:\n${stdout}`)
  assert.match(stdout, /\| +AtomicDB +\| +Dexie +\| +LokiJS +\| +sql\.js +\| +sqlite-wasm +\|/)
})

const again = Object.entries(workloads).filter(([, { again }]) => again)

describe('a row of questions', () => {
  for (const [name, { title }] of again) {
    const once = name.replace(/Again$/, '')

    test(`${workloads[once]!.title}: asks each once, about all parts of the database`, async () => {
      const { work, asked } = plain(5_000)
      const { operations } = await workloads[once]!.run(work)
      assert.equal(new Set(asked).size, asked.length, 'a question was asked twice')
      assert.equal(asked.length, operations)
      assert.ok(operations >= 20, `only ${operations}`)
      if (once === 'get' || once === 'email') {
        // Of each tenth of the documents, in the order in which they were stored.
        const position = new Map(work.people.map((person, n) => [JSON.stringify([once === 'get' ? person._id : person.email]), n]))
        const tenths = new Set(asked.map((question) => Math.floor((10 * position.get(question.replace(/^\w+/, ''))!) / work.people.length)))
        assert.equal(tenths.size, 10)
      }
    })

    test(`${title}: asks no other questions, and names itself so`, async () => {
      const { work, asked } = plain(1_000)
      await workloads[once]!.run(work)
      const known = new Set(asked)
      await workloads[name]!.run(work)
      const added = [...new Set(asked)].filter((question) => !known.has(question))
      // To be added to an answer, a person needs an email that nobody has.
      assert.ok(added.every((question) => question.includes('.au"')), added.join('\n'))
      assert.match(title, /, asked again$/)
    })

    test(`${title}: fails if one answer is wrong, once or again`, async () => {
      for (const wrong of [0, 7, 19]) {
        const { work } = plain(1_000, (n) => n === wrong)
        await assert.rejects(workloads[once]!.run(work), /wrong/)
      }
      const { work, asked, spoil } = plain(1_000)
      await workloads[once]!.run(work)
      const first = asked.length
      spoil((n) => n === first)
      await assert.rejects(workloads[name]!.run(work), /wrong/)
    })
  }

  test('opens its page with a page of its own, or after its own questions', () => {
    for (const [name, { samePage }] of Object.entries(workloads)) assert.equal(samePage, /Again$|^stored$|^memoryUsed$/.test(name) ? true : undefined, name)
  })
})

/** A library in plain JavaScript, which notes what it is asked, and answers wrongly where it is told to. */
function plain(count: number, isWrong: (n: number) => boolean = () => false) {
  ;(globalThis as { gc?: () => void }).gc ??= () => {}
  const asked: string[] = []
  let all: Person[] = makePeople(count, 42)
  const noted = <A extends unknown[], R>(name: string, answer: (...args: A) => R, spoilt: (right: R) => R) => (...args: A) => {
    const wrong = isWrong(asked.length)
    asked.push(name + JSON.stringify(args))
    return wrong ? spoilt(answer(...args)) : answer(...args)
  }
  const without = (people: Person[]) => people.slice(1).concat({ ...all[0]!, bio: '' })
  const first = (limit: number, people: Person[], compare: (a: Person, b: Person) => number) => people.sort(compare).slice(0, limit)
  const grouped = (zip: string) => {
    const groups = new Groups()
    for (const p of all) if (p.address.zip >= zip) groups.add(p.address.city, p.age)
    return groups.all()
  }
  const isAged = (low: number, high: number) => (p: Person) => p.age >= low && p.age <= high
  const db: Database = {
    insert: (person) => void (all = [...all, person]),
    insertMany: (people) => void (all = [...all, ...people]),
    get: noted('get', (id: string) => all.find((p) => p._id === id), () => undefined),
    withEmail: noted('email', (email: string) => all.filter((p) => p.email === email), without),
    withScore: noted('score', (low: number, high: number) => all.filter((p) => p.score >= low && p.score <= high), without),
    inCity: noted('city', (city: string, active: boolean) => all.filter((p) => p.active === active && p.address.city === city), without),
    countInCity: noted('count', (city: string, active: boolean) => all.filter((p) => p.active === active && p.address.city === city).length, (n) => n + 1),
    groupByCity: noted('groups', grouped, (groups) => groups.slice(1)),
    nextByScore: noted('next', (score: number, limit: number) => first(limit, all.filter((p) => p.score < score), (a, b) => b.score - a.score), without),
    nextByName: noted('names', (name: string, limit: number) => first(limit, all.filter((p) => p.name >= name), (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))), without),
    setActive: (id, active) => void (all = all.map((p) => (p._id === id ? { ...p, active } : p))),
    updateAged: () => 0,
    removeAged: (low, high) => {
      const before = all.length
      all = all.filter((p) => !isAged(low, high)(p))
      return before - all.length
    },
    close: () => {},
  }
  const library: Library = { name: 'plain', inMemory: true, persistent: true, open: async () => db }
  const work: Work = { library, people: makePeople(count, 42), seed: 42, againMillis: 1, onceMillis: 10_000 }
  return { work, asked, spoil: (which: (n: number) => boolean) => void (isWrong = which) }
}
