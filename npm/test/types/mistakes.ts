// Compiled, never run: what a typed collection catches, and what it takes.
import type { AtomicDB, Collection, Condition, Filter, FindOptions, Path, QueryBuilder, QueryResult, Update, Value, Where } from '../../src/index.js'

type Brand<T, B> = T & { readonly __brand: B }
type UserId = Brand<string, 'UserId'>
interface Geo { lat: number; lon: number }
interface Address { city: string; zip?: number | null; geo: Geo }
interface User {
  _id: UserId
  name: string
  age: number
  nickname?: string
  email: string | null
  role: 'admin' | 'guest'
  level: 1 | 2 | 3
  active: boolean
  address?: Address
  tags: string[]
  codes: readonly number[]
  position: [number, string]
  orders: { item: string; price: number; parts: { sku: string }[] }[]
  scores: Record<string, number>
  places: Record<string, Address>
  joined: Date
  big: bigint
  bytes: Uint8Array
  manager: UserId
  mixed: string | number | string[]
  anything: any
  whatever: unknown
  json: Value
  matrix: number[][]
}
declare const db: AtomicDB
declare const users: Collection<User>
declare const text: string
declare const id: UserId
const q = users.query()

// ------------------------------------------------------------ the builder

q._id.eq(id)
q.age.eq(1).and(q.age.eq(1n), q.age.in([1, 2n]), q.age.between(0, 5)) satisfies Condition
q.name.startsWith('J')
q.nickname.eq('x').or(q.nickname.ne('x'))
q.email.eq(null)
q.role.in(['admin', 'guest'])
q.role.gt('a')
q.level.gte(0)
q.active.eq(true)
q.address.eq({ city: 'Oslo', geo: { lat: 1, lon: 2 } })
q.address.geo.lat.lt(5)
q.address.zip.eq(null)
q.tags.eq('x')
q.tags.eq(['x', 'y'])
q.tags.in(['x', ['y']])
q.tags.contains('x')
q.tags.size(2)
q.tags.any((tag) => tag.startsWith('x'))
q.tags[0]!.eq('x')
q.codes.contains(5)
q.position[1].eq('x')
q.orders.price.gt(5)
q.orders.parts.sku.eq('a')
q.orders.any((order) => order.price.gt(5).and(order.parts.any((part) => part.sku.eq('a')), order.field('x').eq(1)))
const cheap = (item: QueryBuilder) => item.price!.lt(5)
q.orders.any(cheap)
q.scores.maths!.gt(5)
q.places.home!.city.eq('Oslo')
q.joined.lt(new Date())
q.big.gt(5)
q.bytes.eq(new Uint8Array())
q.manager.eq(id)
q.mixed.eq('x').and(q.mixed.eq(5), q.mixed.contains('x'), q.mixed.gt(5))
q.anything.at.all.eq(1)
q.whatever.at.all.eq(1)
q.whatever.eq(1)
q.json.eq({ a: [1] })
q.json.one!.two!.eq(1)
q.matrix.any((row) => row.contains(5))
q.field(text).eq(5)
q.field('role').eq(text)

// @ts-expect-error: no such field
q.typo.eq(1)
// @ts-expect-error: no such field below
q.address.geo.latitude.eq(1)
// @ts-expect-error: no such field of an element
q.orders.parts.sku2.eq('a')
// @ts-expect-error: an age is a number
q.age.eq('x')
// @ts-expect-error: in every comparison
q.age.ne('x')
// @ts-expect-error
q.age.gt('x')
// @ts-expect-error
q.age.between(0, 'x')
// @ts-expect-error
q.age.in([1, 'x'])
// @ts-expect-error
q.age.notIn(['x'])
// @ts-expect-error: an age is never null
q.age.eq(null)
// @ts-expect-error: undefined is no value
q.nickname.eq(undefined)
// @ts-expect-error: no such role
q.role.eq('owner')
// @ts-expect-error: no such level
q.level.in([1, 4])
// @ts-expect-error: any text is no brand
q.manager.eq(text)
// @ts-expect-error: nor an id
q._id.eq('x')
// @ts-expect-error: an element is text
q.tags.contains(5)
// @ts-expect-error: a list of texts
q.tags.eq([5])
// @ts-expect-error: a number contains nothing
q.age.contains(5)
// @ts-expect-error: a number is no text
q.age.startsWith('1')
// @ts-expect-error: a number is no text
q.age.matches(/1/)
// @ts-expect-error: a number has no size
q.age.size(1)
// @ts-expect-error: a number has no elements
q.age.any((element) => element.eq(1))
// @ts-expect-error: no such field of an element
q.orders.any((order) => order.prise.gt(5))
// @ts-expect-error: a price is a number
q.orders.any((order) => order.price.gt('x'))
// @ts-expect-error: an element is text
q.tags.any((tag) => tag.eq(5))
// @ts-expect-error: a date is no text
q.joined.lt('2020-01-01')
// @ts-expect-error: an address is no text
q.address.eq('Oslo')
// @ts-expect-error: the scores are numbers
q.scores.maths!.eq('x')
// @ts-expect-error: an address has no such field
q.places.home!.town.eq('x')
// @ts-expect-error: none of its types
q.mixed.eq(true)

// ------------------------------------------------------------ filters

users.find({})
users.find({ _id: id, age: { $gt: 1, $lte: 5n }, name: /^J/, nickname: { $exists: false }, email: null })
users.find({ 'address.city': 'Oslo', 'address.geo.lat': { $lt: 5 }, 'address.zip': { $in: [1, null] } })
users.find({ tags: 'x', 'tags.0': 'x', 'orders.price': { $gt: 5 }, 'orders.0.parts.1.sku': 'a', 'orders.parts.sku': { $regex: 'a', $options: 'i' } })
users.find({ tags: { $all: ['x', 'y'], $size: 2 }, orders: { $elemMatch: { price: { $gt: 5 }, 'parts.sku': 'a' } }, codes: { $elemMatch: { $gt: 5 } } })
users.find({ role: { $in: ['admin'], $ne: 'guest' }, level: { $gt: 1 }, age: { $not: { $gt: 5 } }, name: { $not: /x/, $type: 'str' } })
users.find({ 'scores.maths': { $gt: 5 }, 'places.home.city': 'Oslo', 'anything.at.all': 5, 'whatever.x': 1, 'json.x.y': 1, position: [1, 'x'], 'position.0': 1 })
users.find({ $or: [{ age: 1 }, { $and: [{ age: 2 }, { name: 'x' }] }], $nor: [{ 'address.city': 'x' }] })
users.find({ joined: { $lt: new Date() }, big: 5n, bytes: new Uint8Array(), manager: id, address: { city: 'Oslo', geo: { lat: 1, lon: 1 } } })
users.findOne({ age: 1 })
users.search({ age: 1 })
users.count({ age: 1 })
users.remove({ age: 1 })
users.aggregate({ where: { age: 1 }, select: {} })
users.find({ [text]: 5 })

// @ts-expect-error: no such field
users.find({ typo: 1 })
// @ts-expect-error: no such field, besides another
users.find({ age: 1, typo: 1 })
// @ts-expect-error: no such path
users.find({ 'address.town': 'Oslo' })
// @ts-expect-error: no such path through an array
users.find({ 'orders.cost': 1 })
// @ts-expect-error: no such path at a position
users.find({ 'orders.0.cost': 1 })
// @ts-expect-error: an age is a number
users.find({ age: 'x' })
// @ts-expect-error: an age is a number
users.find({ age: { $gt: 'x' } })
// @ts-expect-error: an age is a number
users.find({ age: { $in: ['x'] } })
// @ts-expect-error: an age is a number
users.find({ age: { $not: { $gt: 'x' } } })
// @ts-expect-error: no such operator
users.find({ age: { $gtt: 1 } })
// @ts-expect-error: a latitude is a number
users.find({ 'address.geo.lat': 'x' })
// @ts-expect-error: a tag is a text
users.find({ tags: 5 })
// @ts-expect-error: a tag is a text
users.find({ 'tags.0': 5 })
// @ts-expect-error: a tag is a text
users.find({ tags: { $all: [5] } })
// @ts-expect-error: a price is a number
users.find({ orders: { $elemMatch: { price: 'x' } } })
// @ts-expect-error: an order has no such field
users.find({ orders: { $elemMatch: { cost: 5 } } })
// @ts-expect-error: no such role
users.find({ role: 'owner' })
// @ts-expect-error: a number has no pattern
users.find({ age: /1/ })
// @ts-expect-error: a number has no size
users.find({ age: { $size: 1 } })
// @ts-expect-error: no such field inside
users.find({ $or: [{ typo: 1 }] })
// @ts-expect-error: a number
users.find({ $and: [{ $or: [{ age: 'x' }] }] })
// @ts-expect-error: in every call
users.search({ typo: 1 })
// @ts-expect-error
users.count({ typo: 1 })
// @ts-expect-error
users.remove({ age: 'x' })
// @ts-expect-error
users.update({ age: 1 }, { typo: 1 })
// @ts-expect-error
users.aggregate({ where: { typo: 1 }, select: {} })
// @ts-expect-error: an id is a brand
users.find({ _id: 'x' })
// @ts-expect-error: scores are numbers
users.find({ 'scores.maths': 'x' })

// ------------------------------------------------------------ options

users.search(undefined, { sort: 'age', fields: ['name', 'address.city', 'orders.price', 'tags.0', '_id'] })
users.search('age > 1', { sort: ['-age', 'address.geo.lat', '-_id'] })
users.find({}, { sort: { age: 'desc', 'address.city': 1 }, limit: 1 })
users.get(id, { fields: ['scores.maths', 'anything.at.all', 'places.home.geo.lat'] })
users.search(undefined, { sort: text, fields: [text, 'name'] })
users.search(undefined, { sort: [`-${text}`, 'age'], fields: [`scores.${text}`] })
declare const options: FindOptions
users.search(undefined, options)
users.explain('age > 1', { sort: 'age' })
users.distinct('tags').then((tags) => tags satisfies string[])
users.distinct('address.zip').then((zips) => zips satisfies (number | null)[])
users.distinct(text).then((values) => values satisfies Value[])

// @ts-expect-error: no such field
users.search(undefined, { sort: 'typo' })
// @ts-expect-error: no such field, descending
users.search(undefined, { sort: '-typo' })
// @ts-expect-error: no such path, besides a right one
users.search(undefined, { sort: ['age', '-address.town'] })
// @ts-expect-error: no such path
users.find({}, { sort: { 'address.town': 1 } })
// @ts-expect-error: no such direction
users.find({}, { sort: { age: 'down' } })
// @ts-expect-error: no such field to return
users.search(undefined, { fields: ['name', 'typo'] })
// @ts-expect-error: no such field to return
users.get(id, { fields: ['orders.cost'] })
// @ts-expect-error: no such field
users.findOne({}, { sort: 'typo' })
// @ts-expect-error: no such field
users.explain('age > 1', { sort: 'typo' })
// @ts-expect-error: no such option
users.search(undefined, { sort: 'age', limt: 5 })
// @ts-expect-error: no such path
users.distinct('typo')

// ------------------------------------------------------------ updates

users.update({ age: 5, 'address.city': 'Oslo', 'tags.0': 'x', 'orders.0.price': 5, 'scores.maths': 5, nickname: 'x', email: null })
users.update({ $set: { age: 5, 'address.geo': { lat: 1, lon: 1 } }, $unset: { nickname: true, 'address.zip': '' } })
users.update({ $inc: { age: 1, big: 1n, 'orders.0.price': -1, 'scores.maths': 1, 'codes.0': 1, level: 1 } })
users.update({ $min: { age: 1 }, $max: { joined: new Date(), big: 5n } })
users.update({ $push: { tags: 'x', orders: { $each: [{ item: 'x', price: 1, parts: [] }], $position: 0, $slice: -5, $sort: { price: 1 } }, 'orders.0.parts': { sku: 'a' }, mixed: 'x' } })
users.update({ $pull: { tags: 'x', orders: { price: { $gt: 5 } }, codes: { $lt: 5 } } })
users.update({ $rename: { nickname: 'alias' } })
users.update((user) => ({ age: user.age + 1 }))
users.update((user) => ({ $inc: { age: user.level } }))
users.update((user) => { user.age++; return user })
users.update((user) => (user.active ? { age: 1 } : { $push: { tags: 'x' } }))
users.update((user) => ({ ...user, age: 5 }))
users.update((user) => ({ [`scores.${user.name}`]: 5 }))
users.atomicUpdate((user) => ({ age: user.age + 1, 'address.city': 'x' }))
users.atomicUpdate(() => ({ $inc: { age: 1 } }))
declare const change: object
declare const changes: (document: any) => object
users.update(change)
users.update(changes)
users.update({ [text]: 5 })
declare const partial: Partial<User>
users.update(partial)
declare const typed: Update<User>
users.update(typed)

// @ts-expect-error: no such field
users.update({ typo: 1 })
// @ts-expect-error: no such field, besides another
users.update({ age: 1, typo: 1 })
// @ts-expect-error: an age is a number
users.update({ age: 'x' })
// @ts-expect-error: no such path
users.update({ 'address.town': 'x' })
// @ts-expect-error: a price at a position is a number
users.update({ 'orders.0.price': 'x' })
// @ts-expect-error: an update changes elements by position
users.update({ 'orders.price': 5 })
// @ts-expect-error: no such role
users.update({ role: 'owner' })
// @ts-expect-error: no such operator
users.update({ $incr: { age: 1 } })
// @ts-expect-error: operators and fields do not mix
users.update({ $inc: { age: 1 }, name: 'x' })
// @ts-expect-error: $set of a wrong field
users.update({ $set: { typo: 1 } })
// @ts-expect-error: $set of a wrong value
users.update({ $set: { age: 'x' } })
// @ts-expect-error: $unset of a wrong field
users.update({ $unset: { typo: 1 } })
// @ts-expect-error: $inc of a text
users.update({ $inc: { name: 1 } })
// @ts-expect-error: $inc by a text
users.update({ $inc: { age: 'x' } })
// @ts-expect-error: $inc of no field
users.update({ $inc: { typo: 1 } })
// @ts-expect-error: $min with a wrong value
users.update({ $min: { age: 'x' } })
// @ts-expect-error: $max of no field
users.update({ $max: { typo: 1 } })
// @ts-expect-error: $push of a wrong element
users.update({ $push: { tags: 5 } })
// @ts-expect-error: $push of wrong elements
users.update({ $push: { tags: { $each: [5] } } })
// @ts-expect-error: $push of an order that lacks something
users.update({ $push: { orders: { item: 'x' } } })
// @ts-expect-error: $push to what is no array
users.update({ $push: { name: 'x' } })
// @ts-expect-error: $push has no such modifier
users.update({ $push: { tags: { $each: ['x'], $limit: 5 } } })
// @ts-expect-error: $pull of a wrong element
users.update({ $pull: { tags: 5 } })
// @ts-expect-error: $pull by a wrong condition
users.update({ $pull: { orders: { cost: 5 } } })
// @ts-expect-error: $rename of no field
users.update({ $rename: { typo: 'x' } })
// @ts-expect-error: what a function returns
users.update((user) => ({ age: user.name }))
// @ts-expect-error: no such field in what a function returns
users.update((user) => ({ age: user.age, typo: 1 }))
// @ts-expect-error: no such operator in what a function returns
users.atomicUpdate(() => ({ $incr: { age: 1 } }))
// @ts-expect-error: a wrong operand in what a function returns
users.atomicUpdate(() => ({ $push: { tags: 5 } }))

// ------------------------------------------------------------ indexes and aggregates

users.createIndex('age')
users.createIndex('address.city', 'orders.price', { unique: true })
users.createIndex(text, { sparse: true })
users.createIndex('age', text)
users.dropIndex('age', 'scores.maths')
users.aggregate({ groupBy: 'address.city', select: { n: { $count: true }, sum: { $sum: 'age' }, mean: { $avg: 'orders.price' }, tags: { $distinct: 'tags' } } })
users.aggregate<{ n: number }>({ groupBy: ['role', 'level'], select: { n: { $count: 'nickname' }, most: { $max: 'joined' } }, having: { n: { $gt: 5 } }, sort: '-n' })
users.aggregate({ groupBy: text, select: { n: { $sum: text } } })
users.aggregate({ groupBy: [text, 'role'], select: { [text]: { $min: 'age' } } })

// @ts-expect-error: no such path
users.createIndex('typo')
// @ts-expect-error: no such path, besides a right one
users.createIndex('age', 'address.town', { unique: true })
// @ts-expect-error: no such path
users.dropIndex('typo')
// @ts-expect-error: no such option
users.createIndex('age', { uniqe: true })
// @ts-expect-error: no such path
users.aggregate({ groupBy: 'typo', select: {} })
// @ts-expect-error: no such path, besides a right one
users.aggregate({ groupBy: ['age', 'address.town'], select: {} })
// @ts-expect-error: no such path in an operator
users.aggregate({ groupBy: 'age', select: { n: { $max: 'typo' } } })
// @ts-expect-error: no such path in an operator
users.aggregate({ select: { n: { $count: 'typo' } } })
// @ts-expect-error: also where the rows have a type
users.aggregate<{ n: number }>({ groupBy: 'typo', select: { n: { $count: true } } })
// @ts-expect-error: a name is no number
users.aggregate({ select: { n: { $sum: 'name' } } })
// @ts-expect-error: a name is no number
users.aggregate({ select: { n: { $avg: 'name' } } })

// ------------------------------------------------------------ results

async function results(found: QueryResult<User>) {
  found.sortBy('address.city').sortBy(text)
  found.pluck('name', 'address.city').exclude('anything')
  found.exclude('name', text)
  await found.updateAll({ age: 1 })
  found satisfies QueryResult
  found.filter((user): user is typeof user & { role: 'admin' } => user.role === 'admin') satisfies QueryResult<User>
  // @ts-expect-error: no such field
  found.sortBy('typo')
  // @ts-expect-error: no such path
  found.pluck('name', 'address.town')
  // @ts-expect-error: no such path
  found.exclude('typo')
  // @ts-expect-error: no such field
  await found.updateAll({ typo: 1 })
}

// ------------------------------------------------------------ unions

type Shape = { kind: 'circle'; radius: number; at: Geo } | { kind: 'square'; side: number; at: { x: string } } | { kind: 'none' }
declare const shapes: Collection<Shape>
const s = shapes.query()
s.kind.eq('circle').and(s.kind.in(['square', 'none']), s.radius.gt(5), s.side.eq(1), s.at.lat.eq(1), s.at.x.eq('a'), s._id.eq(1))
shapes.find({ kind: 'circle', radius: { $gt: 5 }, 'at.lat': 1, 'at.x': 'a' })
shapes.search(undefined, { sort: ['radius', '-side', 'at.x'] })
shapes.update({ radius: 5 })
shapes.update((shape) => (shape.kind === 'circle' ? { radius: shape.radius + 1 } : { side: 1 }))
shapes.search((shape) => shape.kind === 'circle' && shape.radius > 5)
// @ts-expect-error: no such kind
s.kind.eq('cicle')
// @ts-expect-error: a radius is a number
s.radius.eq('x')
// @ts-expect-error: of no member of the union
s.diameter.eq(1)
// @ts-expect-error: no such kind
shapes.find({ kind: 'cicle' })
// @ts-expect-error: of no member of the union
shapes.find({ 'at.y': 1 })
// @ts-expect-error: a side is a number
shapes.update({ side: 'x' })

// ------------------------------------------------------------ types that contain themselves

interface Tree { value: number; left?: Tree; right?: Tree; children: Tree[]; parent: Tree | null }
declare const trees: Collection<Tree>
trees.query().left.right.left.right.left.right.value.eq(5)
trees.query().children.children.children.parent.value.gt(1)
trees.find({ 'left.right.value': 5, 'children.0.children.value': 5, 'parent.parent.parent.parent.parent.value': 5 })
trees.search(undefined, { sort: 'left.left.left.left.left.left.left.value', fields: ['children.children.children.children.children.value'] })
trees.update({ 'left.left.value': 1, 'children.0.value': 1, $: 1 } as object)
// @ts-expect-error: no such field, however deep
trees.query().left.right.left.right.left.right.valu.eq(5)
// @ts-expect-error: no such path
trees.find({ 'left.right.valu': 5 })
// @ts-expect-error: a value is a number
trees.find({ 'left.right.value': 'x' })
// @ts-expect-error: no such path, however deep
trees.search(undefined, { sort: 'left.left.left.left.left.left.left.valu' })

// ------------------------------------------------------------ what stays free

declare const free: Collection
free.find({ anything: { $goes: 1 } })
free.search({ at: 1 }, { sort: 'any.path', fields: ['x'] })
free.update({ x: 1, $y: 2 })
free.update(() => ({ x: 1 }))
free.createIndex('x', 'y.z', { unique: true })
free.aggregate({ groupBy: 'x', select: { n: { $sum: 'y' } } })
free.query().x!.y.z.eq(1)
free.distinct('x').then((values) => values satisfies Value[])
free.insert({ x: 1 })
db.collection('users').find({ typo: 1 })
db.search({ age: { $gt: 'x' } }, { collection: 'users', sort: 'x' }).then((found) => found.first()?.x.y.z)
db.find({ a: 1 }).then((found) => found[0]?.b)
db.search<User>({ age: 1 })
db.update({ $inc: { x: 'y' } })
db.createIndex('x', { collection: 'users' })
const open: Collection<Record<string, any>> = db.collection('open')
open.find({ typo: 1 })
open.update({ typo: 1 })
open.search(undefined, { sort: 'typo' })
open.query().x!.y.eq(1)
users satisfies Collection
const anyCollection: Collection = users
void anyCollection
declare const filter: Filter
users.find(filter)
users.search(filter)
declare const where: Where
users.search(where)
const paths: Path<User>[] = ['age', 'address.city', 'orders.price']
users.search(undefined, { sort: paths })
users.createIndex(...paths)
// @ts-expect-error: no such path
const wrong: Path<User> = 'typo'
const wanted: Filter<User> = { age: { $gt: 5 }, 'address.city': 'Oslo' }
users.find(wanted)
const ordered: FindOptions<User> = { sort: '-age', fields: ['name'] }
users.search(undefined, ordered)
// @ts-expect-error: no such path
const disordered: FindOptions<User> = { sort: '-agee' }
void [wrong, disordered, results]

// In a function that is generic over the documents, nothing is known of them but what its type parameter says.
class Repository<T extends { slug: string; count: number }> {
  constructor(readonly all: Collection<T>) {}
  async work(slug: string, fields: string[]) {
    const q = this.all.query()
    await this.all.search(q.slug.eq(slug).and(q.count.gt(1)), { sort: 'slug', fields })
    await this.all.find({ slug, count: { $gt: 1 } }, { sort: ['-count'], fields: ['slug'] })
    await this.all.search({ slug })
    await this.all.count({ slug })
    await this.all.update({ count: 1 }, { slug })
    await this.all.update({ $inc: { count: 1 } }, q.slug.eq(slug))
    await this.all.update((document) => ({ count: document.count + 1 }))
    await this.all.atomicUpdate((document) => ({ count: document.count + 1 }))
    await this.all.remove({ slug })
    await this.all.createIndex('slug', { unique: true })
    await this.all.aggregate({ groupBy: 'slug', select: { n: { $sum: 'count' } } })
    const [first] = await this.all.search((document) => document.slug === slug)
    return first?.slug
  }
}
void Repository
// @ts-expect-error: these documents lack a count
new Repository(db.collection<{ slug: string }>('x'))
