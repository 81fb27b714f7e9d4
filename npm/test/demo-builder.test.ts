// The demo page reads conditions of the builder from links. What it reads means what JavaScript would make of the text,
// and nothing else is run.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { and, not, or } from '../src/index.js'
import { queryBuilder } from '../src/query/builder.js'
import { condition, type Condition } from './random/conditions.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

const { readBuilder } = await import(new URL('../../demo/builder.js', import.meta.url).href)

const q = queryBuilder<any>()
const read = (text: string) => readBuilder(text, { q, and, or, not })
const run = (text: string) => new Function('q', 'and', 'or', 'not', `return (${text}\n)`)(q, and, or, not)

describe('a condition of the builder in a link', () => {
  for (const text of [
    "q.country.eq('NO')",
    'q.lat.between(-0.1, +.1)',
    'q.name.matches(/ville$/iu)',
    'q.name.matches(/[/]\\/\\u{e9}/u)',
    "q.name.startsWith('San ')\n  .and(q.country.notIn(['ES', 'MX',]))",
    "(q.a.eq(1)).or((q.b.eq(2)), not(q.c.exists()),).not()",
    "and(or(), /* no */ q.a.exists(false)) // done",
    "q.field('a.b').eq(1e3)",
    "q['a b'].c[0].eq(0x1F)",
    'q.type.type("str")',
    "q.items.any(item => item.price.gt(5).and(item.any((part) => part.gte(q => 1 ? 2 : 3)).not()))".replace('part.gte(q => 1 ? 2 : 3)', 'part.gte(5)'),
    "q.a.eq({ b: [true, false, null, { 'c d': -12n, __proto: 1 }], e: `two\nlines` })",
    "q.a.gt(new Date('2020-02-03'))",
    'q.a.eq("\\u0041\\x42\\u{1F600}\\n\\t\\\'\\"\\\\\\q\\\n")',
    'q.constructor.prototype.__proto__.eq(1)',
    'q.q.q.any(q => q.q.eq(1)).and(q.r.eq(2))',
  ]) {
    test(`is what JavaScript makes of ${text}`, () => assert.equal(String(read(text)), String(run(text))))
  }

  for (const text of [
    "(window.pwned=document.domain,q.country.eq('NO'))",
    "(globalThis.pwned = 1, q.a.eq(1))",
    "q.a.eq(globalThis.pwned = 1)",
    "q.a.eq(pwned())",
    "q.a.eq(1);globalThis.pwned=1",
    "q.a.eq(1)) + (globalThis.pwned=1",
    "q.a.eq(1), globalThis.pwned = 1",
    "q.a.eq(`${globalThis.pwned=1}`)",
    "q.a.eq(q.b.eq.constructor('globalThis.pwned=1')())",
    "q.a.eq.constructor('globalThis.pwned=1')()",
    "q.constructor.constructor('globalThis.pwned=1')()",
    "q.a.eq(1).constructor.constructor('globalThis.pwned=1')()",
    "q.a.eq(1)['constructor']['constructor']('globalThis.pwned=1')()",
    "q.a.eq(1).and.constructor('globalThis.pwned=1')()",
    "and.constructor('globalThis.pwned=1')()",
    "and`${globalThis.pwned=1}`",
    "q.a.any(e => (globalThis.pwned=1, e.b.eq(1)))",
    "q.a.any(e => { globalThis.pwned=1; return e.b.eq(1) })",
    "q.a.any(function () { globalThis.pwned=1 })",
    "q.a.any((e = globalThis.pwned=1) => e.b.eq(1))",
    "q.a.any(constructor => constructor.constructor.constructor('globalThis.pwned=1')())",
    "q.a.eq({ get b() { globalThis.pwned=1 } })",
    "q.a.eq({ [globalThis.pwned=1]: 1 })",
    "q.a.eq({ toString: () => globalThis.pwned=1 })",
    "q.a.eq(new Function('globalThis.pwned=1')())",
    "q.a.eq(new Date(globalThis.pwned=1))",
    "q[globalThis.pwned=1].eq(1)",
    "import('data:text/javascript,globalThis.pwned=1')",
    "eval('globalThis.pwned=1')",
    "this.pwned=1",
    "q => globalThis.pwned=1",
    "q\u2028.a.eq(globalThis.pwned=1)",
    "q.a.eq(/*/ 1)*/globalThis.pwned=1)",
    'q.a.eq(1) || q', 'q.a.eq(1 + 1)', 'q.a.eq(1n.constructor)', 'q.a.eq(1.5n)', 'q.a.matches(/(/)', "q.a.eq('\\u{110000}')", 'q.a.eq(1', "q.a.eq('", '', 'x.a.eq(1)', 'q.', 'q.a.eq(1).any(1)', 'q.a.eq(1 2)',
  ]) {
    test(`is refused, and nothing of it runs: ${JSON.stringify(text)}`, () => {
      assert.throws(() => read(text), (error: Error) => error instanceof SyntaxError || (error as Error & { code?: string }).code === 'invalid')
      assert.ok(!('pwned' in globalThis))
    })
  }

  test('that lacks an operator is a field, as in JavaScript, and the library refuses it', () => {
    assert.equal(typeof read('q.a'), 'function')
    assert.throws(() => read('and(q.a)'), { code: 'invalid' })
    assert.throws(() => read('q.a.eq(q.b)'), { code: 'invalid' })
    assert.throws(() => read('q(1)'), SyntaxError)
  })

  test('makes no prototype of a value', () => {
    assert.equal(Object.getPrototypeOf(readBuilder('q.a.eq({ __proto__: { b: 1 } })', { q: { a: { eq: (value: object) => value } }, and, or, not })), Object.prototype)
  })

  test('says where it cannot be read', () => {
    assert.throws(() => read("q.a.eq(1)\n  .and(q.b.eq(alert(1)))"), { message: 'line 2, column 15: expected a value\n  .and(q.b.eq(alert(1)))\n              ^' })
  })

  test('may be deep and long, but takes no time that grows faster than it', () => {
    assert.throws(() => read('('.repeat(100_000)), SyntaxError)
    assert.throws(() => read(`q.a${'.any(e => e.b'.repeat(150)}.eq(1)${')'.repeat(150)}`), { code: 'invalid' })
    const nested = `q.a${'.any(e => e.b'.repeat(60)}.eq(1)${')'.repeat(60)}`
    assert.equal(String(read(nested)), String(run(nested)))
    assert.throws(() => read(`q.a.eq('${'\\'.repeat(100_001)}`), SyntaxError)
    assert.throws(() => read(`q.a.matches(/${'['.repeat(100_000)}`), SyntaxError)
    assert.throws(() => read('/*'.repeat(100_000)), SyntaxError)
  })

  test(`is what JavaScript makes of it, for 3,000 random ones (${replayOf('demo-builder.test.ts')})`, () => {
    const random = new Random(seed)
    let compared = 0
    for (let n = 0; n < 3_000; n++) {
      const text = source(condition(random, 4), 'q', random)
      if (text === undefined) continue
      compared++
      assert.equal(String(read(text)), String(run(text)), text)
    }
    assert.ok(compared > 1_000, `only ${compared}`)
  })

  test(`never is anything else when a part of it is changed (${replayOf('demo-builder.test.ts')})`, () => {
    const random = new Random(seed)
    const parts = ['q', '.', '(', ')', '[', ']', '{', '}', "'", '"', '`', '${', '/', '\\', ',', '=>', '=', 'pwned', '__proto__', 'constructor', 'globalThis', 'and', '1', ' ', '\n', '//', '/*', '*/']
    let readable = 0
    for (let n = 0; n < 3_000; n++) {
      const text = source(condition(random, 2), 'q', random)
      if (text === undefined) continue
      const at = random.int(0, text.length)
      const changed = text.slice(0, at) + random.pick(parts) + text.slice(at + random.int(0, 2))
      let ours: unknown
      try {
        ours = read(changed)
      } catch (error) {
        assert.ok(error instanceof SyntaxError || (error as { code?: string }).code === 'invalid', `${changed}: ${(error as Error).stack}`)
        continue
      }
      let theirs: unknown
      try {
        theirs = run(changed)
      } catch {
        continue // JavaScript is stricter: no line may break before =>, no \u may be cut short
      }
      readable++
      assert.equal(typeof ours === 'function' ? 'field' : String(ours), typeof ours === 'function' ? 'field' : String(theirs), changed)
    }
    assert.ok(readable > 100, `only ${readable}`)
  })
})

/** A condition as a program writes it; undefined if it has a value that has no literal. */
function source(data: Condition, q: string, random: Random): string | undefined {
  const [operator] = data
  const blank = () => random.pick(['', '', ' ', '\n', '/* */'])
  const list = (texts: (string | undefined)[]) => (texts.includes(undefined) ? undefined : texts.map((text) => `${blank()}${text}${blank()}`).join(','))
  if (operator === 'and' || operator === 'or') {
    const kids = data.slice(1).map((kid) => source(kid as Condition, q, random))
    if (kids.includes(undefined)) return undefined
    return random.chance(0.5) ? `${operator}(${list(kids)})` : `${kids[0]}${blank()}.${operator}(${list(kids.slice(1))})`
  }
  if (operator === 'not') {
    const kid = source(data[1], q, random)
    return kid && (random.chance(0.5) ? `not(${kid})` : `(${kid}).not()`)
  }
  const [, path, ...operands] = data as [string, string, ...unknown[]]
  const field = path === '' ? q : random.chance(0.5) ? `${q}.field(${JSON.stringify(path)})` : q + path.split('.').map((name) => (/^[a-z]+$/i.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join('')
  if (operator === 'any') {
    const element = source(data[2], `${q}1`, random)
    return element && `${field}.any(${random.chance(0.5) ? `${q}1` : `(${q}1)`} =>${blank()}${element})`
  }
  const values = list(operands.map(literal))
  return values && `${field}.${operator}(${values})`
}

function literal(value: unknown): string | undefined {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : undefined
  if (value instanceof Date) return `new Date(${value.getTime()})`
  if (value instanceof RegExp) return String(value)
  if (ArrayBuffer.isView(value)) return undefined
  if (Array.isArray(value)) {
    const items = value.map(literal)
    return items.includes(undefined) ? undefined : `[${items.join(', ')}]`
  }
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : JSON.stringify(value)
  const fields = Object.entries(value).map(([key, field]) => (key === '__proto__' || literal(field) === undefined ? undefined : `${JSON.stringify(key)}: ${literal(field)}`))
  return fields.includes(undefined) ? undefined : `{ ${fields.join(', ')} }`
}
