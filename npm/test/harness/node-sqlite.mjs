// DatabaseSync of node:sqlite, as far as the command atomicdb uses it, over sqlite-wasm: for a Node that has none.
import { readFileSync } from 'node:fs'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'

const sqlite3 = await sqlite3InitModule()

export class DatabaseSync {
  constructor(path) {
    const bytes = new Uint8Array(readFileSync(path))
    this.db = new sqlite3.oo1.DB()
    const at = sqlite3.wasm.allocFromTypedArray(bytes)
    sqlite3.capi.sqlite3_deserialize(this.db.pointer, 'main', at, bytes.length, bytes.length, 0)
  }

  prepare(sql) {
    const { db } = this
    const rows = (...params) => db.exec({ sql, bind: params.length > 0 ? params : undefined, rowMode: 'object', returnValue: 'resultRows' })
    return { all: rows, iterate: rows, setReadBigInts() {} }
  }

  close() {
    this.db.close()
  }
}
