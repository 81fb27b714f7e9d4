import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import type { Library } from '../library.js'
import { openPeople } from './rxdb.js'

/** RxDB in memory. What it runs is that of rxdb.ts; only the storage is another one. */
export const library: Library = { name: 'RxDB (memory)', inMemory: true, persistent: false, live: 'sorted', open: (name) => openPeople(name, getRxStorageMemory()) }
