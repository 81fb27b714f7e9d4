// The Worker: Go in front, which knows tokens and tenants, and Go in the Durable Object of each database.
export { default } from './front/worker.mjs'
export { AtomicDatabase } from './object/worker.mjs'
