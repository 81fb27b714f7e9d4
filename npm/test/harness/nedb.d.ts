// The parts of NeDB that the tests and the benchmark use. It ships no declarations.

declare module '@seald-io/nedb' {
  interface Cursor<T> extends Promise<T[]> {
    sort(keys: Record<string, 1 | -1>): Cursor<T>
    limit(count: number): Cursor<T>
  }
  export default class Datastore<T> {
    constructor(options: { filename?: string; inMemoryOnly?: boolean })
    loadDatabaseAsync(): Promise<void>
    ensureIndexAsync(options: { fieldName: string; unique?: boolean }): Promise<void>
    insertAsync(documents: T | T[]): Promise<unknown>
    findOneAsync(query: object): Promise<T | null>
    findAsync(query: object): Cursor<T>
    countAsync(query: object): Promise<number>
    updateAsync(query: object, change: object, options: { multi?: boolean }): Promise<{ numAffected: number }>
    removeAsync(query: object, options: { multi: true }): Promise<number>
  }
}
