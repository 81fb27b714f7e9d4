/** The second pane: an engine of its own over the same database, kept current by `db.live`. */
import { count } from './format.js'
import { openChosen } from './settings.js'

const number = document.getElementById('live-count')
const list = document.getElementById('live-list')
const fail = error => { number.textContent = error.message }

try {
  const { db } = await openChosen()
  const cities = db.collection('cities')
  db.liveCount(undefined, 'cities').subscribe(size => { number.textContent = `${count(size)} cities` }, fail)
  cities.live(undefined, { sort: '-lat', limit: 8 }).subscribe(result => {
    list.replaceChildren(...result.map(({ name, country, lat }) => Object.assign(document.createElement('li'), { textContent: `${name}, ${country}, ${lat}°` })))
  }, fail)
  document.getElementById('settle').addEventListener('click', () => {
    cities.insert({ name: 'Polaris', country: 'NO', lat: 79 + Math.round(1000 * Math.random()) / 1000, lng: 16 }).catch(fail)
  })
} catch (error) {
  fail(error)
}
