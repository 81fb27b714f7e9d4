// The parts of sql.js that the tests and the benchmark use. It ships no declarations.

declare module 'sql.js' {
  export type SqlValue = number | string | Uint8Array | null
  export interface Statement {
    bind(parameters: SqlValue[]): boolean
    step(): boolean
    get(parameters?: SqlValue[]): SqlValue[]
    run(parameters: SqlValue[]): void
    reset(): void
  }
  export interface SqlJsStatic {
    Database: new (bytes?: Uint8Array) => {
      run(sql: string): void
      prepare(sql: string): Statement
      getRowsModified(): number
      export(): Uint8Array
      close(): void
    }
  }
  export default function initSqlJs(options: { locateFile(file: string): string }): Promise<SqlJsStatic>
}
