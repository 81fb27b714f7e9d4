// Compiled, never run: what FromSchema makes of JSON Schema, and InferStandard of validators.
import type { AtomicDB, FromSchema, InferStandard, StandardSchema } from '../../src/index.js'

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : { found: A; expected: B }
declare function same<A, B>(answer: Same<A, B>): void

// ------------------------------------------------------------ objects

const user = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    age: { type: ['integer', 'null'] },
    tags: { type: 'array', items: { type: 'string' } },
    role: { enum: ['admin', 'guest', 3, null] },
    version: { const: 1 },
    settings: { const: { dark: true, sizes: [1, 2] } },
    address: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
    anything: {},
    everything: true,
    nothing: false,
    admin: { type: 'boolean' },
    empty: { type: 'null' },
    map: { type: 'object' },
    list: { type: 'array' },
  },
  required: ['name', 'tags', 'address'],
} as const
type User = FromSchema<typeof user>
same<User, {
  name: string
  tags: string[]
  address: { city: string }
  age?: number | null
  role?: 'admin' | 'guest' | 3 | null
  version?: 1
  settings?: { dark: true; sizes: [1, 2] }
  anything?: unknown
  everything?: unknown
  nothing?: never
  admin?: boolean
  empty?: null
  map?: { [name: string]: unknown }
  list?: unknown[]
}>(true)

const numbers = { type: 'object', additionalProperties: { type: 'number' } } as const
same<FromSchema<typeof numbers>, { [name: string]: number }>(true)

const mixed = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: { type: 'number' } } as const
const fits: FromSchema<typeof mixed> = { name: 'x', other: 5 }
fits.name satisfies string
// @ts-expect-error: a name is text
const wrongName: FromSchema<typeof mixed> = { name: 5 }
// @ts-expect-error: another property is a number
const wrongOther: FromSchema<typeof mixed> = { name: 'x', other: true }

const open = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: true } as const
const more: FromSchema<typeof open> = { name: 'x', whatever: [true] }
more.name satisfies string

// A schema that says nothing of its type is about what its keywords are about.
const untyped = { properties: { list: { items: { type: 'number' } }, pair: { prefixItems: [{ type: 'number' }, { type: 'string' }] } }, required: ['list', 'id'] } as const
same<FromSchema<typeof untyped>, { list: number[]; pair?: [number, string]; id: {} | null }>(true)

// ------------------------------------------------------------ schemas handed over

const address = {
  $id: 'https://example.com/address',
  type: 'object',
  properties: { city: { $ref: '#/$defs/name' }, before: { $ref: '#' } },
  required: ['city'],
  $defs: { name: { type: 'string' } },
} as const
const order = { $id: 'https://example.com/order', properties: { to: { $ref: 'https://example.com/address' }, by: { $ref: 'https://example.com/person#/$defs/person' } }, required: ['to'] } as const
const people = { $id: 'https://example.com/person', $defs: { person: { properties: { home: { $ref: 'https://example.com/address' } }, required: ['home'] } } } as const
type Order = FromSchema<typeof order, [typeof address, typeof people]>
declare const one: Order
same<typeof one.to.city, string>(true)
same<NonNullable<NonNullable<typeof one.to.before>['before']>['city'], string>(true)
same<NonNullable<typeof one.by>['home']['city'], string>(true)
// @ts-expect-error: a city is text
const wrongOrder: Order = { to: { city: 5 } }
same<FromSchema<typeof order>, { to: unknown; by?: unknown }>(true) // what is not handed over may be anything
same<FromSchema<{ readonly $ref: 'urn:a' }, [{ readonly $id: 'urn:a'; readonly $ref: 'urn:b' }, { readonly $id: 'urn:b'; readonly $ref: 'urn:a' }]>, unknown>(true)

// ------------------------------------------------------------ tuples

const tuples = {
  type: 'object',
  properties: {
    exact: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
    usual: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
    more: { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'number' } },
    fewer: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }], minItems: 1 },
    any: { type: 'array', prefixItems: [{ type: 'string' }], items: true },
    matrix: { type: 'array', items: { type: 'array', items: { type: 'number' } } },
  },
  required: ['exact', 'usual', 'more', 'fewer', 'any', 'matrix'],
} as const
same<FromSchema<typeof tuples>, {
  exact: [string, number]
  usual: [string, number]
  more: [string, ...number[]]
  fewer: [string, number?, boolean?]
  any: [string, ...unknown[]]
  matrix: number[][]
}>(true)

// ------------------------------------------------------------ combinations

const shape = {
  type: 'object',
  properties: { label: { type: 'string' } },
  required: ['label'],
  oneOf: [
    { type: 'object', properties: { kind: { const: 'circle' }, radius: { type: 'number' } }, required: ['kind', 'radius'] },
    { type: 'object', properties: { kind: { const: 'square' }, side: { type: 'number' } }, required: ['kind', 'side'] },
  ],
} as const
type Shape = FromSchema<typeof shape>
same<Shape, { label: string; kind: 'circle'; radius: number } | { label: string; kind: 'square'; side: number }>(true)
const size = (shape: Shape) => (shape.kind === 'circle' ? shape.radius : shape.side)
void size

const both = { allOf: [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { properties: { b: { type: 'string' } } }] } as const
same<FromSchema<typeof both>, { a: string; b?: string }>(true)

const nullable = { type: 'object', properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, required: ['a'] } as const
same<FromSchema<typeof nullable>, { a: string | null }>(true)

const either = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, anyOf: [{ required: ['a'] }, { required: ['b'] }] } as const
same<FromSchema<typeof either>, { a: string; b?: string } | { a?: string; b: string }>(true)

const silent = { type: 'object', properties: { a: { type: 'string', pattern: '^a', not: { const: 'ab' } } }, if: { required: ['a'] }, then: { required: ['b'] } } as const
same<FromSchema<typeof silent>, { a?: string }>(true)

// ------------------------------------------------------------ references

const tree = {
  $defs: {
    node: { type: 'object', properties: { value: { type: 'number' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } }, required: ['value', 'children'] },
    'a/b~c': { type: 'string' },
  },
  $ref: '#/$defs/node',
  properties: { name: { $ref: '#/$defs/a~1b~0c' }, parent: { $ref: '#' }, elsewhere: { $ref: 'https://example.com/schema' }, missing: { $ref: '#/$defs/gone' } },
} as const
declare const node: FromSchema<typeof tree>
node.children[0]!.children[0]!.children[0]!.children[0]!.value satisfies number
node.parent!.parent!.parent!.name satisfies string | undefined
node.elsewhere satisfies unknown
node.missing satisfies unknown
// @ts-expect-error: no such property, however deep
node.children[0]!.children[0]!.children[0]!.valu

// References that lead to themselves describe nothing, and end.
const loop = { $defs: { a: { $ref: '#/$defs/b' }, b: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] } }, $ref: '#/$defs/a' } as const
same<FromSchema<typeof loop>, unknown>(true)

const mutual = {
  $defs: {
    person: { type: 'object', properties: { firm: { $ref: '#/$defs/firm' } } },
    firm: { type: 'object', properties: { staff: { type: 'array', items: { $ref: '#/$defs/person' } } } },
  },
  $ref: '#/$defs/person',
} as const
declare const person: FromSchema<typeof mutual>
person.firm!.staff![0]!.firm!.staff![0]!.firm satisfies object | undefined

// ------------------------------------------------------------ schemas that are not written `as const`

same<FromSchema<any>, any>(true)
const wide = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
declare const anything: FromSchema<typeof wide>
anything.whatever

// ------------------------------------------------------------ collections, and validators

declare const db: AtomicDB
db.collection<User>('users').search((found) => found.address.city === 'Oslo')
// @ts-expect-error: no such property
db.collection<User>('users').search((found) => found.address.town === 'Oslo')
// @ts-expect-error: a document has its required properties
db.collection<User>('users').insert({ name: 'Ada', tags: [] })

declare const validator: StandardSchema<{ name: string }>
same<InferStandard<typeof validator>, { name: string }>(true)
// The interface as other libraries declare it.
declare const theirs: { '~standard': { version: 1; vendor: 'zod'; validate: (value: unknown) => { value: { name: string } } | Promise<{ value: { name: string } }>; types?: { input: { name?: string }; output: { name: string } } | undefined } }
same<InferStandard<typeof theirs>, { name: string }>(true)
void [wrongName, wrongOther]
