import type { OpenOptions } from '../types.js'

/** Tells the function `onProgress` of open(). The engine does not wait for it, so what it throws is kept for later. */
export class Progress {
  private failure: { readonly error: unknown } | undefined

  constructor(private readonly onProgress: OpenOptions['onProgress']) {}

  /** The function to call; undefined if nobody listens. */
  get listener(): OpenOptions['onProgress'] {
    const { onProgress } = this
    return onProgress && ((done, total) => {
      if (this.failure) return
      try {
        onProgress(done, total)
      } catch (error) {
        this.failure = { error }
      }
    })
  }

  /** Throws what the function has thrown, after `close`. */
  async check(close: () => Promise<unknown>): Promise<void> {
    if (!this.failure) return
    await close()
    throw this.failure.error
  }
}
