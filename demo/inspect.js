import { count } from './format.js'

const usageList = document.getElementById('usage')
const collections = document.getElementById('inspect-collections')
const log = document.getElementById('inspect-log')

const megabytes = bytes => bytes === undefined ? 'not told' : `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`

/** Shows what the database holds, and what the browser has stored of it. `kind` is that of settings.js. */
export async function inspect(db, kind) {
  const usage = await db.usage()
  const figures = {
    Documents: count(usage.documents),
    'In memory': megabytes(usage.bytes),
    'Batches in the log': count(usage.log.batches),
    'Bytes in the log': megabytes(usage.log.bytes),
    'Stored by this site': megabytes(usage.used),
    Encryption: kind === 'sealed' ? 'on' : 'off',
  }
  usageList.replaceChildren(...Object.entries(figures).map(([name, value]) => {
    const group = document.createElement('div')
    group.append(element('dt', name), element('dd', value))
    return group
  }))
  const table = document.createElement('table')
  const names = table.createTHead().insertRow()
  for (const name of ['Collection', 'Documents', 'Bytes', 'Indexes', 'Schema', 'Last batch']) names.append(Object.assign(element('th', name), { scope: 'col' }))
  for (const name of Object.keys(usage.collections)) {
    const { documentCount, totalSize, indexes, schema, stats } = await db.metadata(name)
    const row = table.insertRow()
    const cells = [name, count(documentCount), megabytes(totalSize), indexes.map(index => `${index.paths.join(', ')} (${count(index.entries)})`).join('; ') || 'none', schema ? JSON.stringify(schema) : 'none', stats.seq]
    for (const text of cells) row.insertCell().textContent = text
  }
  collections.replaceChildren(table)
  log.textContent = await stored(db.name, kind)
}

const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text })

/** The newest records of the browser's own storage, read past AtomicDB: what anyone with the disk could read. */
async function stored(name, kind) {
  if (kind === 'memory') return 'Nothing: this database is in memory.'
  if (kind === 'opfs') {
    const lines = []
    const list = async (folder, path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await list(handle, `${path}${name}/`)
        else lines.push(`${path}${name}  ${count((await handle.getFile()).size)} bytes`)
      }
    }
    await list(await navigator.storage.getDirectory(), '')
    return lines.join('\n')
  }
  // Found among those that exist: to open one that does not would make it.
  const found = (await indexedDB.databases()).find(each => each.name.endsWith(`:${name}`))
  if (!found) return 'Nothing yet.'
  const opened = await done(indexedDB.open(found.name))
  try {
    const stores = [...opened.objectStoreNames]
    const lines = []
    for (const store of stores) {
      const keys = await done(opened.transaction(store).objectStore(store).getAllKeys())
      for (const key of keys.slice(-6).reverse()) lines.push(line(store, key, await done(opened.transaction(store).objectStore(store).get(key))))
    }
    return lines.join('\n')
  } finally {
    opened.close()
  }
}

/** One record: its key, its size, and its first bytes as text, with dots for what is no letter. */
function line(store, key, value) {
  const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : ArrayBuffer.isView(value) ? value : ArrayBuffer.isView(value?.bytes) ? value.bytes : undefined
  if (!bytes) return `${store} ${key}  ${JSON.stringify(value)?.slice(0, 80)}`
  const text = String.fromCharCode(...bytes.subarray(0, 72)).replace(/[^ -~]/g, '·')
  return `${store} ${key}  ${count(bytes.length)} bytes  ${text}`
}

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})
