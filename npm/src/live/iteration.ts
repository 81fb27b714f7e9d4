/** A loop over the values of something: of values that come while the loop is busy, it gets the last. */
export class Iteration<V> implements AsyncIterableIterator<V> {
  private latest: { readonly value: V } | undefined
  private over: { readonly error?: unknown } | undefined // an error is thrown once
  private readonly waiting: { readonly resolve: (result: IteratorResult<V, undefined>) => void; readonly reject: (error: unknown) => void }[] = []

  /** @param onEnd Called when the loop takes no more values. */
  constructor(private readonly onEnd: () => void) {}

  /** The next value. */
  give(value: V): void {
    this.latest = { value }
    this.serve()
  }

  /** There is no further value. */
  end(): void {
    this.over ??= {}
    this.serve()
  }

  fail(error: unknown): void {
    this.over ??= { error }
    this.serve()
  }

  next(): Promise<IteratorResult<V, undefined>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.serve()
    })
  }

  async return(): Promise<IteratorResult<V, undefined>> {
    this.latest = undefined
    this.over = {}
    this.serve()
    this.onEnd()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  private serve(): void {
    while (this.waiting.length > 0 && (this.latest || this.over)) {
      const { resolve, reject } = this.waiting.shift()!
      if (this.latest) {
        resolve({ done: false, value: this.latest.value })
        this.latest = undefined
        continue
      }
      const { over } = this
      this.over = {}
      this.onEnd()
      if ('error' in over!) reject(over.error)
      else resolve({ done: true, value: undefined })
    }
  }
}
