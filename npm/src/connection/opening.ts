import { ownPause, Turns } from '../storage/turns.js'

/**
 * What open() returns for storages of Cloudflare Workers. Several requests may
 * await one of these, and none waits for another's work: each looks by timers of
 * its own, and opens the database itself if the request that began is gone.
 */
export class Opening<R> extends Promise<R> {
  private readonly turns = new Turns()
  private end: { readonly value: R } | { readonly error: unknown } | undefined

  /**
   * @param open Opens the database.
   * @param close Closes one that another request has opened meanwhile, too.
   */
  constructor(
    private readonly open: () => Promise<R>,
    private readonly close: (value: R) => Promise<void>,
  ) {
    super(() => {})
    void this.result().catch(() => {})
  }

  /** What then() and catch() return is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // `await` calls it, in the request that awaits, because this is not an ordinary promise.
  override then<A = R, B = never>(onValue?: ((value: R) => A | PromiseLike<A>) | null, onError?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B> {
    return this.result().then(onValue, onError)
  }

  private async result(): Promise<R> {
    for (let n = 0; !this.end; n++) {
      if (this.turns.isTaken) await ownPause(n)
      else await this.attempt()
    }
    if ('error' in this.end) throw this.end.error
    return this.end.value
  }

  private async attempt(): Promise<void> {
    const turn = this.turns.take()
    try {
      const value = await this.open()
      if (this.end) await this.close(value)
      else this.end = { value }
    } catch (error) {
      if (turn.isHeld) this.end ??= { error }
    } finally {
      turn.end()
    }
  }
}
