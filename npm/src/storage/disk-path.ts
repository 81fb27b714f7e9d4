import { AtomicDBError } from '../errors.js'
import { nodeFiles, nodePath, type FileStat, type NodeFiles } from '../node-modules.js'

/** What access() is asked for: to read, to write, and to use a folder. */
const toRead = 4
const toWrite = 2
const toEnter = 1

/**
 * Rejects unless the file at `path` can hold a database: its folder is there, it is a file or missing, and both may be
 * read and written. The error says what is wrong with which of them.
 */
export async function checkPath(path: string): Promise<void> {
  const [fs, { dirname, resolve }] = await Promise.all([nodeFiles(), nodePath()])
  const folder = dirname(resolve(path))
  const around = await statOf(fs, folder)
  if (!around) throw pathError(`the folder ${folder} does not exist`)
  if (!around.isDirectory()) throw pathError(`${folder} is not a folder`)
  const file = await statOf(fs, path)
  if (file && !file.isFile()) throw pathError(`${path} is ${file.isDirectory() ? 'a folder, and' : ''} not a file`)
  if ('Deno' in globalThis) return // its access() never answers a program that may not know its user; opening says the same
  if (file) await fs.access(path, toRead | toWrite).catch(refused(path))
  await fs.access(folder, toWrite | toEnter).catch(refused(`the folder ${folder}`))
}

async function statOf(fs: NodeFiles, path: string): Promise<FileStat | undefined> {
  return fs.stat(path).catch((error: Error & { code?: string }) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    return refused(path)(error)
  })
}

const refused = (what: string) => (cause: Error): never => {
  throw pathError(`${what} cannot be read and written: ${cause.message}`, cause)
}

const pathError = (message: string, cause?: Error) => new AtomicDBError('storage', `path: ${message}`, { cause })
