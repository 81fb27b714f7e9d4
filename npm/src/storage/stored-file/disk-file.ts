import { AtomicDBError } from '../../errors.js'
import { nodeFiles, nodePath, nodeProcess, type NodeFiles } from '../../node-modules.js'
import { same, type StoredFile } from './stored-file.js'

/** How long to wait for another process that is replacing the file, in milliseconds. */
const timeout = 10_000

type NodeError = Error & { readonly code?: string }

/**
 * A file on disk. A new file takes its place by a rename, so that a reader sees either the old or the new content. The
 * permissions stay, and so does a link that leads to the file.
 */
export class DiskFile implements StoredFile {
  constructor(private readonly path: string) {}

  async read(): Promise<Uint8Array | undefined> {
    const { readFile } = await nodeFiles()
    try {
      return await readFile(this.path)
    } catch (error) {
      if ((error as NodeError).code === 'ENOENT') return undefined
      throw diskError(error)
    }
  }

  replace(seen: Uint8Array | undefined, next: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    return this.withLock(async (fs, path) => {
      if (!same(await this.read(), seen)) return false
      const before = seen && (await fs.stat(path))
      const written = `${path}.${randomName()}.tmp`
      try {
        // Even while it is written, only those may read it who may read the old one.
        const file = await fs.open(written, 'wx', before ? before.mode & 0o777 : 0o666)
        try {
          if (before) await file.chmod(before.mode & 0o777) // whatever the umask of the process is
          await file.writeFile(next)
          // Also if relaxed: the old content may be strict, and a power cut must not leave an empty file in its place.
          await file.sync()
        } finally {
          await file.close()
        }
        await fs.rename(written, path)
      } catch (error) {
        await fs.rm(written, { force: true })
        throw error
      }
      if (durability === 'strict') await syncFolder(fs, path)
      return true
    })
  }

  remove(): Promise<void> {
    return this.withLock((fs, path) => fs.rm(path, { force: true }))
  }

  watch(listener: () => void): () => void {
    const stopping = new AbortController()
    this.listen(listener, stopping.signal).catch(() => {}) // then the next write notices what others have written
    return () => stopping.abort()
  }

  private async listen(listener: () => void, signal: AbortSignal): Promise<void> {
    const [fs, { basename, dirname }] = await Promise.all([nodeFiles(), nodePath()])
    const path = await this.target(fs)
    // The folder, because each replacement is another file.
    for await (const { filename } of fs.watch(dirname(path), { persistent: false, signal })) {
      if (filename === basename(path)) listener()
    }
  }

  /** The path of the file itself, behind links: all processes have to lock the same name. */
  private async target(fs: NodeFiles): Promise<string> {
    return fs.realpath(this.path).catch(() => this.path) // there is no file yet, or the next call fails and says why
  }

  /** Runs `work` on the file itself while no other process does. */
  private async withLock<R>(work: (fs: NodeFiles, path: string) => Promise<R>): Promise<R> {
    const fs = await nodeFiles()
    try {
      const path = await this.target(fs)
      const lock = `${path}.lock`
      await this.take(fs, lock)
      try {
        return await work(fs, path)
      } finally {
        await fs.rm(lock, { force: true })
      }
    } catch (error) {
      throw diskError(error)
    }
  }

  /** Creates the file `lock`, which holds the id of this process. Removes one that an ended process has left. */
  private async take(fs: NodeFiles, lock: string): Promise<void> {
    const end = performance.now() + timeout
    for (let pause = 1; ; pause = Math.min(2 * pause, 50)) {
      try {
        return await fs.writeFile(lock, String(nodeProcess!.pid), { flag: 'wx' })
      } catch (error) {
        if ((error as NodeError).code !== 'EEXIST') throw error
      }
      const owner = Number(await fs.readFile(lock, 'utf8').catch(() => ''))
      if (owner > 0 && !isAlive(owner)) await this.removeLeft(fs, lock, owner)
      else if (performance.now() > end) throw new AtomicDBError('timeout', `another process has created ${lock} and does not remove it`)
      else await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  /**
   * Removes a lock that process `owner` has left. If several processes try, one does it, and no newer lock is removed.
   */
  private async removeLeft(fs: NodeFiles, lock: string, owner: number): Promise<void> {
    const removing = `${lock}.${owner}`
    try {
      await fs.mkdir(removing)
    } catch {
      // The process that was removing it may have ended as well.
      const since = await fs.stat(removing).catch(() => undefined)
      if (since && Date.now() - since.mtimeMs > timeout) await fs.rm(removing, { recursive: true, force: true })
      return
    }
    try {
      if ((await fs.readFile(lock, 'utf8').catch(() => '')) === String(owner)) await fs.rm(lock, { force: true })
    } finally {
      await fs.rm(removing, { recursive: true, force: true })
    }
  }
}

/** Flushes the folder of a file, which holds its name. Windows cannot. */
async function syncFolder(fs: NodeFiles, path: string): Promise<void> {
  const { dirname } = await nodePath()
  const folder = await fs.open(dirname(path), 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

function isAlive(pid: number): boolean {
  try {
    nodeProcess!.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeError).code === 'EPERM' // the process is another user's
  }
}

const randomName = () => Math.random().toString(36).slice(2)

function diskError(error: unknown): AtomicDBError {
  if (error instanceof AtomicDBError) return error
  const { code, message } = error as NodeError
  return new AtomicDBError(code === 'ENOSPC' || code === 'EDQUOT' ? 'quota' : 'storage', message, { cause: error })
}
