/**
 * A module of Node, of a package that is not installed with this one, or of Vite's development server. The name is a
 * variable so that bundlers do not look for it.
 */
export function nodeModule<Module>(name: string): Promise<Module> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name) as Promise<Module>
}

/**
 * Node's process; undefined in other hosts. The types are our own, because programs for browsers do not have Node's.
 */
export const nodeProcess = (globalThis as { process?: NodeProcess }).process

/** Whether this is Node or a host like it. */
export const isNode = typeof nodeProcess?.versions?.node === 'string'

/** A BroadcastChannel that does not keep a process of Node alive. */
export function newChannel(name: string): BroadcastChannel {
  const channel = new BroadcastChannel(name) as BroadcastChannel & { unref?(): void }
  channel.unref?.()
  return channel
}

/** What is used of Node's process. */
export interface NodeProcess {
  readonly pid: number
  readonly versions?: { readonly node?: string }
  cwd(): string
  kill(pid: number, signal: 0): void
}

/** What is used of the Stats of node:fs. */
export interface FileStat {
  readonly dev: number
  readonly ino: number
  readonly mtimeMs: number
  readonly mode: number
  isFile(): boolean
  isDirectory(): boolean
}

/** What is used of node:fs/promises. */
export interface NodeFiles {
  readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>
  readFile(path: string, encoding: 'utf8'): Promise<string>
  writeFile(path: string, text: string, options: { flag: 'wx' | 'r+' }): Promise<void>
  open(path: string, flags: 'r' | 'r+' | 'wx' | 'a', mode?: number): Promise<{
    chmod(mode: number): Promise<void>
    read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
    writeFile(content: Uint8Array): Promise<void>
    sync(): Promise<void>
    close(): Promise<void>
  }>
  rename(from: string, to: string): Promise<void>
  rm(path: string, options: { force: true; recursive?: true }): Promise<void>
  unlink(path: string): Promise<void>
  mkdir(path: string): Promise<unknown>
  rmdir(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
  chmod(path: string, mode: number): Promise<void>
  access(path: string, mode: number): Promise<void>
  stat(path: string | URL): Promise<FileStat>
  lstat(path: string): Promise<FileStat>
  readlink(path: string): Promise<string>
  realpath(path: string): Promise<string>
  statfs(path: string): Promise<{ readonly bavail: number; readonly bsize: number }>
  watch(folder: string, options: { persistent: false; signal: AbortSignal }): AsyncIterable<{ readonly filename: string | null }>
}

/** node:fs/promises */
export const nodeFiles = () => nodeModule<NodeFiles>('node:fs/promises')

/** What is used of node:path. */
export interface NodePath {
  basename(path: string): string
  dirname(path: string): string
  resolve(path: string): string
}

/** node:path */
export const nodePath = () => nodeModule<NodePath>('node:path')

/** How many threads the machine can run at the same time. */
export async function processors(): Promise<number> {
  if (isNode) return (await nodeModule<{ availableParallelism(): number }>('node:os')).availableParallelism()
  return globalThis.navigator?.hardwareConcurrency ?? 1
}
