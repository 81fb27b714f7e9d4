import { AtomicDBError } from '../../errors.js'
import { nodeFiles, nodePath, nodeProcess, type NodeFiles } from '../../node-modules.js'
import { checkPath } from '../disk-path.js'
import type { DiskLock, Fresh } from './disk-lock.js'
import { same, type StoredFile } from './stored-file.js'

type NodeError = Error & { readonly code?: string }

/**
 * A file on disk. A new file takes its place by a rename, so that a reader sees either the old or the new content. The
 * permissions stay, and so does a link that leads to the file.
 */
export class DiskFile implements StoredFile {
  private lock: DiskLock | undefined

  constructor(private readonly path: string) {}

  check(): Promise<void> {
    return checkPath(this.path)
  }

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
    return this.withLock(async (fs, path, fresh) => {
      if (!same(await this.read(), seen)) return false
      // Even while it is written, only those may read the new content who may read the old one.
      const { mode } = await fs.stat(seen ? path : fresh.owner)
      const file = await fs.open(fresh.content, 'r+')
      try {
        await file.chmod(mode & 0o777)
        await file.writeFile(next)
        // Also if relaxed: the old content may be strict, and a power cut must not leave an empty file in its place.
        await file.sync()
      } finally {
        await file.close()
      }
      await fs.rename(fresh.content, path)
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
  private async withLock<R>(work: (fs: NodeFiles, path: string, fresh: Fresh) => Promise<R>): Promise<R> {
    const fs = await nodeFiles()
    try {
      const path = await this.target(fs)
      if (this.lock?.path !== path) {
        const { DiskLock } = await import('./disk-lock.js')
        this.lock = new DiskLock({ fs, path: await nodePath(), process: nodeProcess! }, path, (message) => new AtomicDBError('timeout', message))
      }
      return await this.lock.hold((fresh) => work(fs, path, fresh))
    } catch (error) {
      throw diskError(error)
    }
  }
}

/** Flushes the folder of a file, which holds its name. Windows cannot. */
export async function syncFolder(fs: NodeFiles, path: string): Promise<void> {
  const { dirname } = await nodePath()
  const folder = await fs.open(dirname(path), 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

/** What went wrong on a disk, with a code: `quota` if it is full. */
export function diskError(error: unknown): AtomicDBError {
  if (error instanceof AtomicDBError) return error
  const { code, message } = error as NodeError
  return new AtomicDBError(code === 'ENOSPC' || code === 'EDQUOT' ? 'quota' : 'storage', message, { cause: error })
}
