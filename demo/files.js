import { count } from './format.js'
import { report } from './problem.js'

const input = document.getElementById('file')
const done = document.getElementById('files-done')
const problem = document.getElementById('files-problem')

const endings = /^(.*)\.(json|ndjson|jsonl|csv)$/i

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
  const [, stem] = endings.exec(file.name) ?? []
  if (stem === undefined) throw new Error(`${file.name}: drop a file that ends in .json, .ndjson, .jsonl or .csv.`)
  let collection = stem.replace(/\W+/g, '_').replace(/^(?=\d)|^$/, 'file_')
  // The names of the page's own collections, and of what is there, stay as they are.
  while ((await db.collections()).includes(collection)) collection += '_'
  const imported = await db.importStream(file, { collection })
  done.textContent = `${count(imported)} documents of ${file.name} are the collection ${collection}.`
  onLoaded(collection)
}
