import { isRunning, ownOwner, randomName, type Node, type Owner } from './disk-owner.js'

/** How long to wait for another process that is replacing the file, in milliseconds. */
const timeout = 10_000
/** How often the owner of a lock shows that it lives, in milliseconds. */
const heartbeat = 500
/** How long a lock without a heartbeat is respected if nobody can tell whether its owner runs, in milliseconds. */
const silence = 3_000
/** The same if its owner is known to run: it stands still, or the thread that took the lock has ended. */
const silenceOfRunning = 30_000

type NodeError = Error & { readonly code?: string }

/** Two files that stand in the folder of a lock as long as it is held. */
export interface Fresh {
  /** Empty at first, and only this user may read it. It gets its place by a rename. */
  readonly content: string
  /** It has the permissions of a new file. */
  readonly owner: string
}

/** What one look at a lock finds. */
interface Found {
  /** What a heartbeat changes. */
  readonly sign: string
  /** The files in its folder; undefined if the lock is itself a file, as of an older version. */
  readonly files?: string[]
  /** Undefined if nothing there says who the owner is: then anything may be there. */
  readonly owner?: Owner | undefined
  readonly token?: string | undefined
}

/** The locks that this thread holds. */
const held = new Set<string>()

/**
 * A lock for a file, between processes: the folder `<path>.lock`. In it is a
 * file that names the owner, and one for the new content.
 *
 * A process prepares such a folder under another name and renames it. That
 * succeeds if there is no `<path>.lock` or an empty one, and for one process of
 * many. The names of the files hold a random token. So whoever removes the lock
 * of an ended owner removes that lock and no newer one, however many try.
 *
 * To take the lock from an owner that lives after all harms nothing. The new
 * content lies in the lock's folder until a rename puts it in its place. Whoever
 * takes the lock removes it, so the former owner's rename fails, and it waits
 * for the lock again.
 *
 * Whether a process of the same machine or container runs, the host tells. Any
 * other owner counts as alive as long as its heartbeats rise. Their age is what
 * this process has waited, so no clock matters.
 */
export class DiskLock {
  private readonly lock: string
  private silent = { sign: '', milliseconds: 0 }
  private isClean = false
  private folderMode: number | undefined // of the folder of the file

  /**
   * @param path The path of the file, behind links.
   * @param timeoutError Makes the error for a lock that another process keeps.
   */
  constructor(
    private readonly node: Node,
    readonly path: string,
    private readonly timeoutError: (message: string) => Error,
  ) {
    this.lock = `${path}.lock`
  }

  private get fs(): Node['fs'] {
    return this.node.fs
  }

  /**
   * Runs `work` while no other process does. If another one takes the lock over meanwhile, `work` fails because a file of
   * the lock is missing, and runs again.
   */
  async hold<R>(work: (fresh: Fresh) => Promise<R>): Promise<R> {
    for (;;) {
      const token = await this.take()
      const owner = `${this.lock}/${token}`
      const stop = this.beat(owner)
      try {
        if (!this.isClean) await this.clean()
        return await work({ content: `${owner}.tmp`, owner })
      } catch (error) {
        // Whoever takes the lock over removes the content first. Who cleans up what seems to be left, in any order.
        if ((error as NodeError).code !== 'ENOENT' || ((await this.exists(`${owner}.tmp`)) && (await this.exists(owner)))) throw error
      } finally {
        stop()
        held.delete(token)
        await this.remove([`${token}.tmp`, token])
      }
    }
  }

  /** Waits for the lock and takes it. Returns its token. */
  private async take(): Promise<string> {
    const { fs, lock } = this
    const token = randomName()
    const prepared = `${lock}.${token}`
    held.add(token)
    try {
      let isPrepared = false
      for (let pause = 0, waited = 0; ; pause = Math.min(2 * pause || 1, 50)) {
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
        waited += pause
        isPrepared ||= await this.prepare(prepared, token)
        try {
          await fs.rename(prepared, lock)
          return token
        } catch (error) {
          const { code } = error as NodeError
          // The owner has cleaned up what was prepared. Or it is the lock, and on a network the first answer was lost.
          if (code === 'ENOENT' && (await this.exists(`${lock}/${token}`))) return token
          if (code === 'ENOENT') isPrepared = false
          else if (!isTaken.has(code!) || (waited >= timeout && !(await this.look()))) throw error
        }
        if (waited >= timeout) throw this.timeoutError(`another process has locked ${this.path} by ${lock} and does not go on`)
        await this.removeLeft(pause)
      }
    } catch (error) {
      held.delete(token)
      await fs.rm(prepared, { recursive: true, force: true })
      throw error
    }
  }

  /** Makes the folder that is to become the lock. Returns false if another process has removed it meanwhile. */
  private async prepare(prepared: string, token: string): Promise<boolean> {
    const { fs } = this
    await fs.mkdir(prepared)
    try {
      // Whoever may replace the file may also remove a lock that was left.
      const { dirname } = this.node.path
      this.folderMode ??= (await fs.stat(dirname(prepared))).mode & 0o1777
      if (this.folderMode & 0o022) await fs.chmod(prepared, this.folderMode)
      await fs.writeFile(`${prepared}/${token}`, await textOf(this.node, 0), { flag: 'wx' })
      await (await fs.open(`${prepared}/${token}.tmp`, 'wx', 0o600)).close()
      return true
    } catch (error) {
      if ((error as NodeError).code === 'ENOENT') return false
      throw error
    }
  }

  /** Shows at intervals that the owner lives. Returns a function that ends this. */
  private beat(file: string): () => void {
    let beats = 0
    const timer = setInterval(async () => {
      // r+ creates no file, in case another process has taken the lock over.
      await this.fs.writeFile(file, await textOf(this.node, ++beats), { flag: 'r+' }).catch(() => {})
    }, heartbeat)
    return () => clearInterval(timer)
  }

  /**
   * Removes the lock that is there, if its owner has ended.
   *
   * @param waited How long this process has waited since it looked last, in milliseconds.
   */
  private async removeLeft(waited: number): Promise<void> {
    const found = await this.look()
    if (!found) return
    const isSilent = found.sign === this.silent.sign
    this.silent = { sign: found.sign, milliseconds: isSilent ? this.silent.milliseconds + waited : 0 }
    if (this.silent.milliseconds < (await this.takeoverTime(found))) return
    this.isClean = false
    if (found.files && !found.owner) {
      for (const name of found.files) await this.fs.rm(`${this.lock}/${name}`, { recursive: true, force: true }).catch(() => {})
    }
    if (found.files) await this.remove(found.files)
    else await this.fs.unlink(this.lock).catch(() => {}) // which removes no folder
  }

  private async look(): Promise<Found | undefined> {
    const { fs, lock } = this
    const stat = await fs.lstat(lock).catch(() => undefined)
    if (!stat) return undefined // it has been removed
    // A link is none of our locks. It is not followed: what it leads to belongs to somebody else.
    if (!stat.isDirectory()) return { sign: `${stat.mtimeMs} ${stat.isFile() ? await fs.readFile(lock, 'utf8').catch(() => '') : ''}` }
    try {
      const files = (await fs.readdir(lock)).sort().reverse() // the new content before the owner, as in hold
      const token = files.find((name) => !name.includes('.'))
      const text = token === undefined ? '' : await fs.readFile(`${lock}/${token}`, 'utf8').catch(() => '')
      return { sign: `${files.join()} ${text}`, files, token, owner: ownerOf(text) }
    } catch {
      return undefined // it has been removed
    }
  }

  /** How long the lock is respected without a heartbeat, in milliseconds. */
  private async takeoverTime({ files, token, owner }: Found): Promise<number> {
    if (files?.length === 0) return 0
    if (!owner) return silence
    if (owner.thread === (await ownOwner(this.node)).thread && !held.has(token!)) return 0
    const runs = await isRunning(this.node, owner)
    if (runs === undefined) return silence
    return runs ? silenceOfRunning : 0
  }

  /** Removes these files of the lock in this order, and then the lock if it is empty. */
  private async remove(files: readonly string[]): Promise<void> {
    for (const file of files) await this.fs.unlink(`${this.lock}/${file}`).catch(() => {})
    await this.fs.rmdir(this.lock).catch(() => {})
  }

  /** Removes what ended processes have left beside the file. */
  private async clean(): Promise<void> {
    const { fs, path } = this
    const { basename, dirname } = this.node.path
    this.isClean = true
    for (const name of await fs.readdir(dirname(path)).catch(() => [])) {
      if (!name.startsWith(`${basename(path)}.`) || !isLeft.test(name.slice(basename(path).length))) continue
      await fs.rm(`${dirname(path)}/${name}`, { recursive: true, force: true }).catch(() => {})
    }
  }

  private exists(path: string): Promise<boolean> {
    return this.fs.stat(path).then(() => true, () => false)
  }
}

/** Why a rename fails if there is a lock already. The last three are Windows's. */
const isTaken = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES', 'EBUSY'])

/** The ends of names that {@link DiskLock.clean} removes: a prepared lock, and the new content of older versions. */
const isLeft = /^\.lock\.[0-9a-z]+$|^\.(?=[a-z]*\d)[0-9a-z]{8,14}\.tmp$/

const textOf = async (node: Node, beats: number) => JSON.stringify({ ...(await ownOwner(node)), beats })

/** The owner that the file of a lock names; undefined if it names none. */
function ownerOf(text: string): Owner | undefined {
  try {
    const { pid, start, scope, thread } = JSON.parse(text) as Partial<Owner>
    if (!Number.isSafeInteger(pid) || pid! < 1 || typeof start !== 'string' || typeof scope !== 'string' || typeof thread !== 'string') return undefined
    return { pid: pid!, start, scope, thread }
  } catch {
    return undefined
  }
}
