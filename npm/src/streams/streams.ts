// What db.importStream and db.exportStream do. It is loaded with the first of these calls.
export { exportStream } from './export.js'
export { importStream } from './import.js'
