/** Queries to start from, each written in all three spellings. */
export const examples = [
  {
    name: 'Norway',
    text: "country = 'NO'",
    filter: '{"country": "NO"}',
    builder: "q.country.eq('NO')",
    sort: 'name',
  },
  {
    name: 'Beyond the Arctic Circle',
    text: 'lat > 66.56',
    filter: '{"lat": {"$gt": 66.56}}',
    builder: 'q.lat.gt(66.56)',
    sort: '-lat',
  },
  {
    name: 'On the equator',
    text: 'lat between -0.1 and 0.1',
    filter: '{"lat": {"$gte": -0.1, "$lte": 0.1}}',
    builder: 'q.lat.between(-0.1, 0.1)',
    sort: 'lng',
  },
  {
    name: 'Something-ville',
    text: "name matches 'ville$'",
    filter: '{"name": {"$regex": "ville$"}}',
    builder: 'q.name.matches(/ville$/)',
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
]

/** The area between two corners, in all three spellings. */
export function area({ south, west, north, east }) {
  return {
    text: `lat between ${south} and ${north}\n  and lng between ${west} and ${east}`,
    filter: `{\n  "lat": {"$gte": ${south}, "$lte": ${north}},\n  "lng": {"$gte": ${west}, "$lte": ${east}}\n}`,
    builder: `q.lat.between(${south}, ${north})\n  .and(q.lng.between(${west}, ${east}))`,
    sort: '-lat',
  }
}
