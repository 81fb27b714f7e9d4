import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'
import type { Library } from '../library.js'
import { openPeople } from './rxdb.js'

/** RxDB over IndexedDB, through its free storage. */
export const library: Library = { name: 'RxDB (Dexie)', inMemory: false, persistent: true, live: 'sorted', open: (name) => openPeople(name, getRxStorageDexie()), openInTabs: (name) => openPeople(name, getRxStorageDexie(), true) }
