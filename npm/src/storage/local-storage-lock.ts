import { AtomicDBError } from '../errors.js'
import { withLock } from './web-lock.js'

/** How long another tab's write may take to be seen here; it takes a few milliseconds. */
const timeout = 5_000

/**
 * Turns of tabs at something in localStorage.
 *
 * What one tab writes, another sees some milliseconds later, even if a lock
 * has passed from the one to the other in between: with a lock alone, four tabs
 * that counted to 400 together came to 301 to 370 in Chromium 156. So who has
 * written announces what, and whoever comes next waits until it sees that.
 * The announcement is a lock, too, held until the next one: locks are the one
 * thing that all tabs see alike, and that dies with its tab.
 *
 * A tab that dies in the very milliseconds after a write takes its announcement
 * with it, before others may see the write.
 */
export class LocalStorageLock {
  private release: (() => void) | undefined

  /** @param name Of what the turns are at. */
  constructor(private readonly name: string) {}

  /**
   * Runs `work` while no other tab does, once `isSeen` says of the newest
   * announcement that what it announces is here, or something later: who dies
   * may have written more than it announced. Without locks, in pages that
   * are served without https, it runs at once.
   *
   * @param work Calls `announce` with what it has written, in a few characters.
   */
  async withLock<R>(isSeen: (written: string) => boolean, work: (announce: (written: string) => void) => R): Promise<R> {
    const { locks } = navigator
    if (!locks) return work(() => {})
    return withLock(locks, this.name, 'localStorage', async () => {
      const newest = await this.seen(locks, isSeen)
      let written: string | undefined
      const result = work((text) => (written = text))
      if (written !== undefined) await this.announce(locks, newest + 1, written)
      return result
    })
  }

  /** Takes back the announcement, if others have had time to see what it announces. */
  async close(): Promise<void> {
    const { release } = this
    this.release = undefined
    if (!release) return
    await pause(100)
    release()
  }

  /** Waits until the newest announcement is seen, or gone; resolves to its number. */
  private async seen(locks: LockManager, isSeen: (written: string) => boolean): Promise<number> {
    const end = performance.now() + timeout
    for (;;) {
      const { number, written } = await this.newest(locks)
      if (number === 0 || isSeen(written)) return number
      if (performance.now() > end) throw new AtomicDBError('timeout', 'localStorage: what another tab has written is not to be seen in this one')
      await pause(1)
    }
  }

  private async newest(locks: LockManager): Promise<{ number: number; written: string }> {
    let newest = { number: 0, written: '' }
    for (const { name = '' } of (await locks.query()).held ?? []) {
      if (!name.startsWith(`${this.name}@`)) continue
      const [, number, written] = /^(\d+) (.*)$/.exec(name.slice(this.name.length + 1)) ?? []
      if (Number(number) > newest.number) newest = { number: Number(number), written: written! }
    }
    return newest
  }

  /** Resolves when all tabs can see the announcement, in the place of the one before. */
  private announce(locks: LockManager, number: number, written: string): Promise<void> {
    const before = this.release
    return new Promise((resolve, reject) => {
      const held = new Promise<void>((release) => (this.release = release))
      locks.request(`${this.name}@${number} ${written}`, () => (resolve(), before?.(), held)).catch(reject)
    })
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
