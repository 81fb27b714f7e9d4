import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'
import { suiteOf } from './rxdb.js'

export const library = suiteOf(getRxStorageDexie())
