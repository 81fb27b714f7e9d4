/** Writes 10,000 documents and tells of each that is stored, until it is killed. plug.js starts it. */
import { AtomicDB } from './atomicdb/index.js' // import maps do not reach workers

const atOnce = 20

try {
  const db = await AtomicDB.open('atomicdb-demo-plug')
  for (let id = 1; id <= 10_000; id += atOnce) {
    const ids = Array.from({ length: atOnce }, (_, i) => id + i)
    await Promise.all(ids.map(id => db.insert({ _id: id, text: `write ${id}` }, 'writes')))
    postMessage(ids)
  }
} catch (error) {
  postMessage({ problem: error.message })
}
