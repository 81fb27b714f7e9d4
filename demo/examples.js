/**
 * Queries to start from: conditions in three spellings, and SQL and groups of their own. `loop` is the condition as a
 * plain function, to compare with.
 */
export const examples = [
  {
    name: 'Norway',
    text: "country = 'NO'",
    filter: '{"country": "NO"}',
    builder: "q.country.eq('NO')",
    loop: c => c.country === 'NO',
    sort: 'name',
  },
  {
    name: 'Beyond the Arctic Circle',
    text: 'lat > 66.56',
    filter: '{"lat": {"$gt": 66.56}}',
    builder: 'q.lat.gt(66.56)',
    loop: c => c.lat > 66.56,
    sort: '-lat',
  },
  {
    name: 'On the equator',
    text: 'lat between -0.1 and 0.1',
    filter: '{"lat": {"$gte": -0.1, "$lte": 0.1}}',
    builder: 'q.lat.between(-0.1, 0.1)',
    loop: c => c.lat >= -0.1 && c.lat <= 0.1,
    sort: 'lng',
  },
  {
    name: 'Something-ville',
    text: "name matches 'ville$'",
    filter: '{"name": {"$regex": "ville$"}}',
    builder: 'q.name.matches(/ville$/)',
    loop: c => /ville$/.test(c.name),
    sort: '',
  },
  {
    name: 'Saints, in Spanish and abroad',
    text: "name startsWith 'San ' and not (country in ('ES', 'MX'))",
    filter: '{\n  "name": {"$regex": "^San "},\n  "country": {"$nin": ["ES", "MX"]}\n}',
    builder: "q.name.startsWith('San ')\n  .and(q.country.notIn(['ES', 'MX']))",
    sort: 'country, name',
  },
  {
    name: 'The other Paris',
    text: "name = 'Paris' and country != 'FR'\n  or name = 'London' and country != 'GB'",
    filter: '{"$or": [\n  {"name": "Paris", "country": {"$ne": "FR"}},\n  {"name": "London", "country": {"$ne": "GB"}}\n]}',
    builder: "q.name.eq('Paris').and(q.country.ne('FR'))\n  .or(q.name.eq('London').and(q.country.ne('GB')))",
    sort: '-name, country',
  },
  {
    name: 'A mistake',
    text: "country = 'NO' and lat >",
    filter: '{"country": "NO", "lat": {"$above": 60}}',
    builder: "q.name.matches('(')",
    sort: '',
  },
  {
    name: 'Count by country',
    sql: "SELECT country, COUNT(*) AS cities\nFROM cities\nGROUP BY country ORDER BY cities DESC LIMIT 12",
  },
  {
    name: 'Join',
    sql: "SELECT c.name, n.name AS country, c.lat, c.lng\nFROM cities c JOIN countries n ON n._id = c.country\nWHERE c.name LIKE 'Saint-%' ORDER BY c.lat DESC LIMIT 20",
  },
  {
    name: 'Transaction, undone',
    sql: "BEGIN;\nDELETE FROM cities WHERE country = 'NO';\nSELECT COUNT(*) AS cities_without_norway FROM cities;\nROLLBACK",
  },
  {
    name: 'Most cities',
    aggregate: '{\n  "groupBy": "country",\n  "select": {"cities": {"$count": true}},\n  "sort": "-cities", "limit": 12\n}',
  },
  {
    name: 'Northernmost of each',
    aggregate: '{\n  "groupBy": "country",\n  "select": {"north": {"$max": "lat"}},\n  "sort": "-north", "limit": 12\n}',
  },
]

/** The area between two corners, in all three spellings. */
export function area({ south, west, north, east }) {
  return {
    text: `lat between ${south} and ${north}\n  and lng between ${west} and ${east}`,
    filter: `{\n  "lat": {"$gte": ${south}, "$lte": ${north}},\n  "lng": {"$gte": ${west}, "$lte": ${east}}\n}`,
    builder: `q.lat.between(${south}, ${north})\n  .and(q.lng.between(${west}, ${east}))`,
    loop: c => c.lat >= south && c.lat <= north && c.lng >= west && c.lng <= east,
    sort: '-lat',
  }
}
