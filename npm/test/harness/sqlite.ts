import { createRequire } from 'node:module'
import initSqlJs from 'sql.js'

/** A new database of SQLite (sql.js). Its type is what a test uses of it. */
export async function openSQLite<S>(options: object = {}): Promise<S> {
  const wasm = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm')
  const SQL = await initSqlJs({ locateFile: () => wasm, ...options } as never)
  return new SQL.Database() as unknown as S
}
