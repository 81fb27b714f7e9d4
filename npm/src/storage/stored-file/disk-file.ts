import { AtomicDBError } from '../../errors.js'
import { nodeFiles, nodePath, nodeProcess, type NodeFiles } from '../../node-modules.js'
import { same, type StoredFile } from './stored-file.js'

/** How long to wait for another process that is replacing the file. */
const timeout = 10_000

type NodeError = Error & { readonly code?: string }

/**
 * A file on disk. It is replaced by renaming another one, so that whoever reads it sees the old or the new one; with
 * the permissions of the old one, and where a link leads to it, the link stays.
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
        // Never more people may read it than the old one, also not while it is written.
        const file = await fs.open(written, 'wx', before ? before.mode & 0o777 : 0o666)
        try {
          if (before) await file.chmod(before.mode & 0o777) // without what the process does not give to new files
          await file.writeFile(next)
          await file.sync() // also if relaxed: it takes the place of what may be strict, which a power cut could leave empty
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
    this.listen(listener, stopping.signal).catch(() => {}) // the next write tells of the others
    return () => stopping.abort()
  }

  private async listen(listener: () => void, signal: AbortSignal): Promise<void> {
    const [fs, { basename, dirname }] = await Promise.all([nodeFiles(), nodePath()])
    const path = await this.target(fs)
    // The file becomes another one whenever it is replaced: the folder stays.
    for await (const { filename } of fs.watch(dirname(path), { persistent: false, signal })) {
      if (filename === basename(path)) listener()
    }
  }

  /** Where the file itself is, by whatever links one gets there: everybody has to lock the same name. */
  private async target(fs: NodeFiles): Promise<string> {
    return fs.realpath(this.path).catch(() => this.path) // a new file, or what the next call says
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

  /** Creates the file `lock`, which holds the number of this process. One that a process has left behind is removed. */
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
      else if (performance.now() > end) throw new AtomicDBError('timeout', `another process has ${lock} and does not remove it`)
      else await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  /** Of several processes that find the same lock left behind, one removes it, and none a new one. */
  private async removeLeft(fs: NodeFiles, lock: string, owner: number): Promise<void> {
    const removing = `${lock}.${owner}`
    try {
      await fs.mkdir(removing)
    } catch {
      // Who is removing it may have ended, too.
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

/** The name of a file is in its folder, which has to reach the disk too. Windows has no such call. */
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
    return (error as NodeError).code === 'EPERM' // somebody else's
  }
}

const randomName = () => Math.random().toString(36).slice(2)

function diskError(error: unknown): AtomicDBError {
  if (error instanceof AtomicDBError) return error
  const { code, message } = error as NodeError
  return new AtomicDBError(code === 'ENOSPC' || code === 'EDQUOT' ? 'quota' : 'storage', message, { cause: error })
}
