import { count } from './format.js'

const chart = document.getElementById('chart')

/** Draws rows of one name and one number as bars; other rows have no chart. */
export function drawChart(rows) {
  const fields = Object.keys(rows[0] ?? {})
  const label = fields.find(field => typeof rows[0][field] === 'string')
  const value = fields.findLast(field => rows.every(row => typeof row[field] === 'number'))
  chart.hidden = !label || !value || fields.length !== 2 || rows.length < 2 || rows.length > 24
  if (chart.hidden) return
  const largest = Math.max(...rows.map(row => Math.abs(row[value]))) || 1
  chart.setAttribute('aria-label', `Bars of ${value} by ${label}; the table has the same numbers`)
  chart.replaceChildren(...rows.map(row => {
    const bar = document.createElement('div')
    bar.style.setProperty('--share', Math.abs(row[value]) / largest)
    for (const text of [row[label], count(row[value])]) bar.append(Object.assign(document.createElement('span'), { textContent: text }))
    return bar
  }))
}
