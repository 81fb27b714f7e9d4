import { aggregates } from './api-aggregates.js'
import { changes } from './api-changes.js'
import { conditions } from './api-conditions.js'
import { documents } from './api-documents.js'
import { iterations } from './api-iterate.js'
import { live } from './api-live.js'
import { lifecycle } from './api-lifecycle.js'
import { metadata } from './api-metadata.js'
import { options } from './api-options.js'
import { repairing } from './repairing.js'
import { migrations } from './api-migrations.js'
import { relationships } from './api-relationships.js'
import { results } from './api-results.js'
import { schemas } from './api-schemas.js'
import { sql } from './api-sql.js'
import { transactions } from './api-transactions.js'
import { updates } from './api-updates.js'
import { values } from './api-values.js'
import { fileStorages, filing } from './files.js'
import { pooling } from './pool.js'
import { managing, sealing } from './security.js'
import { storages } from './storages.js'
import { streams } from './streams.js'
import type { Suite } from './suite.js'

/** All tests of the public API, by what they are about. */
export const apiSuites: Record<string, Suite> = { documents, values, updates, conditions, options, schemas, aggregates, sql, results, iterations, relationships, live, metadata, transactions, changes, streams, lifecycle, migrations, repairing, storages, managing, sealing, 'storages of one file': fileStorages, files: filing }

const { storages: _, managing: __, ...ofDatabases } = apiSuites

/** Those of them that a database is part of, and what there is only with workers. */
export const workerSuites: Record<string, Suite> = { ...ofDatabases, 'a pool': pooling }

/** Those of them whose calls are about what a shared worker does in another way. */
export const sharedSuites: Record<string, Suite> = { documents, updates, options, schemas, relationships, metadata, sql, results, iterations, live, transactions, changes, streams, lifecycle, migrations }
