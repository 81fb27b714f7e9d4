// The parts that the benchmark uses of peers that ship no declarations.

declare module 'lokijs' {
  type Done = (error?: unknown) => void

  class Loki {
    static LokiMemoryAdapter: new () => object
    constructor(name: string, options: { adapter: object })
    getCollection<T extends object>(name: string): Loki.Collection<T> | null
    addCollection<T extends object>(name: string, options: { unique: string[]; indices: string[] }): Loki.Collection<T>
    loadDatabase(options: object, done: Done): void
    saveDatabase(done: Done): void
    close(done: Done): void
  }

  namespace Loki {
    interface Collection<T extends object> {
      insert(documents: T | T[]): unknown
      update(document: T): unknown
      by(field: string, value: unknown): T | undefined
      find(query: object): T[]
      count(query: object): number
      chain(): Resultset<T>
      addDynamicView(name: string): DynamicView<T>
    }
    interface DynamicView<T extends object> {
      applyFind(query: object): unknown
      on(event: 'rebuild', listener: () => void): unknown
      data(): T[]
    }
    interface Resultset<T extends object> {
      find(query: object): Resultset<T>
      compoundsort(fields: (keyof T)[]): Resultset<T>
      simplesort(field: keyof T, options?: { desc: boolean }): Resultset<T>
      limit(count: number): Resultset<T>
      count(): number
      data(): T[]
      update(change: (document: T) => void): unknown
      remove(): unknown
    }
  }
  export = Loki
}

declare module 'lokijs/src/incremental-indexeddb-adapter.js' {
  const IncrementalIndexedDBAdapter: new () => object
  export default IncrementalIndexedDBAdapter
}

declare module 'pouchdb-browser' {
  interface Pouch {
    put(document: object): Promise<unknown>
    bulkDocs(documents: object[]): Promise<unknown[]>
    get(id: string): Promise<any>
    allDocs(options: { include_docs: true; startkey?: string }): Promise<{ rows: { id: string; doc: any }[] }>
    createIndex(index: { index: { fields: string[]; ddoc?: string } }): Promise<unknown>
    find(request: { selector: object; sort?: object[]; limit?: number }): Promise<{ docs: any[] }>
    close(): Promise<void>
  }
  const PouchDB: { new (name: string, options?: object): Pouch; plugin(plugin: unknown): void }
  export default PouchDB
}

declare module 'pouchdb-find' {
  const plugin: unknown
  export default plugin
}
