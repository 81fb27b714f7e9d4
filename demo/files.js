import { count } from './format.js'
import { report } from './problem.js'

const input = document.getElementById('file')
const done = document.getElementById('files-done')
const problem = document.getElementById('files-problem')

const lines = text => text.split('\n').filter(line => line.trim()).map(line => JSON.parse(line))

/** For each ending of a name, what makes documents of a file's text. */
const formats = {
  // An array, a document, or a file of collections, all of which become one.
  json: text => {
    const value = JSON.parse(text)
    if (Array.isArray(value)) return value
    const collections = Object.values(value)
    return collections.length > 0 && collections.every(Array.isArray) ? collections.flat() : [value]
  },
  ndjson: lines,
  jsonl: lines,
  csv: readCsv,
}

/** Reads CSV as RFC 4180 has it. The first line names the fields; what looks like a number becomes one. */
function readCsv(text) {
  const rows = [[]]
  for (const [, quoted, plain, end] of text.replace(/^\uFEFF/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(plain) ? Number(plain) : plain))
    if (end !== ',') rows.push([])
  }
  const [names, ...rest] = rows.filter(row => row.length > 1 || (row.length === 1 && row[0] !== ''))
  return rest.map(row => Object.fromEntries(row.slice(0, names.length).map((value, i) => [String(names[i]), value])))
}

/**
 * Takes files that are dropped on the page or chosen. Each becomes a collection of its name.
 *
 * @param onDrop Called before the first file is read, to show the panel.
 * @param onLoaded Called with the name of each collection.
 */
export function startFiles(db, { onDrop, onLoaded }) {
  const take = async files => {
    report(problem, undefined)
    for (const file of files) {
      try {
        await load(db, file, onLoaded)
      } catch (error) {
        report(problem, error)
      }
    }
  }
  input.addEventListener('change', () => take([...input.files]))
  addEventListener('dragover', event => event.preventDefault())
  addEventListener('drop', event => {
    event.preventDefault()
    if (event.dataTransfer.files.length === 0) return
    onDrop()
    take([...event.dataTransfer.files])
  })
}

async function load(db, file, onLoaded) {
  const [, stem, ending] = /^(.*?)\.(\w+)$/.exec(file.name) ?? []
  if (!Object.hasOwn(formats, ending?.toLowerCase() ?? '')) throw new Error(`${file.name}: drop a file that ends in .json, .ndjson, .jsonl or .csv.`)
  let collection = stem.replace(/\W+/g, '_').replace(/^(?=\d)|^$/, 'file_')
  // The names of the page's own collections, and of what is there, stay as they are.
  while ((await db.collections()).includes(collection)) collection += '_'
  const documents = formats[ending.toLowerCase()](await file.text())
  const inserted = await db.insertMany(documents, collection)
  done.textContent = `${count(inserted.length)} documents of ${file.name} are the collection ${collection}.`
  onLoaded(collection)
}
