import { AtomicDBError } from '../errors.js'
import { newChannel } from '../node-modules.js'
import { withLock } from './web-lock.js'

/** How long to wait until what another tab has written is visible here, in milliseconds. It takes a few. */
const timeout = 5_000

/** What a tab has announced. */
interface Announced {
  /** Takes the announcement back. */
  readonly release: () => void
  /** Whether this tab, which has written it, still sees it. */
  readonly isThere: () => boolean
}

/**
 * A lock between tabs for something in localStorage.
 *
 * What one tab writes, another sees some milliseconds later, even if a lock
 * has passed from the one to the other in between: with a lock alone, four tabs
 * that counted to 400 together came to 301 to 370 in Chromium 156. So a tab
 * that has written announces what, and the next one waits until it sees that.
 * The announcement is a lock as well, held until the next announcement: all
 * tabs see the same locks, and the browser releases those of a tab that crashes.
 *
 * If a tab crashes in the milliseconds after a write, its announcement goes
 * before others may see the write.
 *
 * When what was announced is deleted, others would wait for it for ever. So a
 * tab that waits asks whether it still is there. The tab that has written it has
 * seen it: if it sees it no more, it takes its announcement back.
 */
export class LocalStorageLock {
  private announced: Announced | undefined
  private channel: BroadcastChannel | undefined

  /** @param name Of what the lock is for. */
  constructor(private readonly name: string) {}

  /**
   * Runs `work` while no other tab does, as soon as `isSeen` says that this
   * tab sees what the newest announcement tells, or something later: a tab
   * that crashes may have written more than it announced. In pages that are
   * served without https there are no locks, and `work` runs at once.
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
      if (written !== undefined) await this.announce(locks, newest + 1, written, isSeen)
      return result
    })
  }

  /** Takes back the announcement, after other tabs have had time to see what it announces. */
  async close(): Promise<void> {
    const { announced, channel } = this
    this.announced = this.channel = undefined
    if (!announced) return
    await pause(100)
    announced.release()
    channel?.close()
  }

  /** Takes back the announcement if what it tells is here no more. */
  private checkAnnounced(): void {
    if (!this.announced || this.announced.isThere()) return
    this.announced.release()
    this.announced = undefined
  }

  /** Waits until this tab sees what the newest announcement tells, or until that is gone; resolves to its number. */
  private async seen(locks: LockManager, isSeen: (written: string) => boolean): Promise<number> {
    const end = performance.now() + timeout
    for (let looks = 1; ; looks++) {
      this.checkAnnounced()
      const { number, written } = await this.newest(locks)
      if (number === 0 || isSeen(written)) return number
      if (performance.now() > end) throw new AtomicDBError('timeout', 'localStorage: this tab does not see what another tab has written')
      if (looks % 8 === 3) this.ask()
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

  /** Replaces the announcement of this tab; resolves when all tabs can see the new one. */
  private announce(locks: LockManager, number: number, written: string, isSeen: (written: string) => boolean): Promise<void> {
    const before = this.announced
    if (!this.channel) {
      this.channel = newChannel(this.question)
      this.channel.onmessage = () => this.checkAnnounced()
    }
    return new Promise((resolve, reject) => {
      const held = new Promise<void>((release) => (this.announced = { release, isThere: () => isSeen(written) }))
      locks.request(`${this.name}@${number} ${written}`, () => (resolve(), before?.release(), held)).catch(reject)
    })
  }

  /** Asks all tabs whether they still see what they have announced. */
  private ask(): void {
    const channel = newChannel(this.question)
    channel.postMessage(null)
    channel.close()
  }

  private get question(): string {
    return `${this.name} is there?`
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
