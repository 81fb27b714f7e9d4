import { AtomicDB, IndexedDBStorage, OPFSStorage, SecurityManager } from 'atomicdb'

/** Where the visitor wants the documents, and the database opened there. */
const key = 'atomicdb-demo-storage'

const places = {
  indexeddb: () => ({ name: 'atomicdb-demo', options: {} }),
  sealed: () => ({
    name: 'atomicdb-demo-sealed',
    options: { storage: new IndexedDBStorage('atomicdb-demo-sealed', { securityManager: SecurityManager.fromKey(ownKey()) }) },
  }),
  opfs: () => ({ name: 'atomicdb-demo', options: { storage: new OPFSStorage('atomicdb-demo') } }),
  memory: () => ({ name: 'atomicdb-demo-memory', options: { inMemory: true } }),
}

/** 'indexeddb', 'sealed', 'opfs' or 'memory'. */
export function storageChoice() {
  const choice = kept(key)
  return Object.hasOwn(places, choice) ? choice : 'indexeddb'
}

export function chooseStorage(choice) { localStorage.setItem(key, choice) }

/**
 * Opens the database of the choice.
 *
 * @param onProgress As in AtomicDB.open.
 * @returns {db, kind, refused}: `refused` is the error of a storage that could not be opened; the database is then in memory.
 */
export async function openChosen(onProgress) {
  const kind = storageChoice()
  try {
    const { name, options } = places[kind]()
    return { db: await AtomicDB.open(name, { ...options, onProgress }), kind }
  } catch (refused) {
    if (refused.code !== 'storage' && refused.code !== 'unsupported' && refused.code !== 'decrypt' && refused.name !== 'SecurityError') throw refused
    const { name, options } = places.memory()
    return { db: await AtomicDB.open(name, options), kind: 'memory', refused }
  }
}

/** Deletes what is stored under a choice. The database is closed. */
export async function destroyStored(kind) {
  if (kind === 'memory') return
  const { name, options } = places[kind]()
  await AtomicDB.destroy(name, options.storage && { storage: options.storage })
}

/** A Fernet key, made once for this browser. A program would ask for a password instead. */
function ownKey() {
  const found = kept('atomicdb-demo-key')
  if (found) return found
  const made = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replaceAll('+', '-').replaceAll('/', '_')
  localStorage.setItem('atomicdb-demo-key', made)
  return made
}

/** An item of localStorage; null too where the browser denies it. */
function kept(item) {
  try {
    return localStorage.getItem(item)
  } catch {
    return null
  }
}
