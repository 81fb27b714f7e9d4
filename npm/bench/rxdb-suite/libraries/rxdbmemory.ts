import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { suiteOf } from './rxdb.js'

export const library = suiteOf(getRxStorageMemory())
