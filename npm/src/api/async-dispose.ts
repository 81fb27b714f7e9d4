declare global {
  // Programs need not have the library esnext.disposable to use these declarations. They merge with it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>
  }
}

/** Symbol.asyncDispose. In hosts without it, `await using` is compiled to code that looks for the other one. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')
