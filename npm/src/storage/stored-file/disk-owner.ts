import type { NodeFiles, NodePath, NodeProcess } from '../../node-modules.js'

/** What locks of files need of Node. They import nothing of it: they are a file of their own, which no page loads. */
export interface Node {
  readonly fs: NodeFiles
  readonly path: NodePath
  readonly process: NodeProcess
}

/** Which process has made a lock. */
export interface Owner {
  readonly pid: number
  /**
   * When the process has started, as the kernel counts it: no other process has the same pid and the same start. Empty
   * if the host does not tell.
   */
  readonly start: string
  /** Names the boot of the machine and the namespace in which the pid counts. Empty if the host does not tell. */
  readonly scope: string
  /** Distinguishes the threads of one process. */
  readonly thread: string
}

/** Random letters and digits. */
export const randomName = () => Math.random().toString(36).slice(2).padEnd(8, '0')

let own: Promise<Owner> | undefined

/** This process, and this thread of it. */
export const ownOwner = (node: Node): Promise<Owner> => (own ??= describeOwn(node))

async function describeOwn({ fs, process: { pid } }: Node): Promise<Owner> {
  const unknown = { pid, start: '', scope: '', thread: randomName() }
  try {
    // In a container, /proc may be that of the host, which counts pids otherwise.
    if ((await fs.readlink('/proc/self')) !== String(pid)) return unknown
    const [boot, namespace, start] = await Promise.all([fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8'), fs.readlink('/proc/self/ns/pid'), startOf(fs, pid)])
    return start ? { ...unknown, start, scope: `${boot.trim()} ${namespace}` } : unknown
  } catch {
    return unknown // there is no /proc
  }
}

/**
 * Whether the process of `owner` runs: false if it has ended, also if another process has its pid now; undefined if
 * that cannot be known here, because it may be in another container or on another machine.
 */
export async function isRunning(node: Node, owner: Owner): Promise<boolean | undefined> {
  if (!owner.scope || owner.scope !== (await ownOwner(node)).scope) return undefined
  const start = await startOf(node.fs, owner.pid)
  if (start !== undefined) return start === owner.start
  return isAlive(node, owner.pid) ? undefined : false // some machines hide the processes of other users
}

/** When a process has started; empty if it has ended and its parent has not noticed; undefined if there is none. */
async function startOf(fs: NodeFiles, pid: number): Promise<string | undefined> {
  const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return undefined
  // The name of the program is in brackets and may hold anything; the fields after it are counted from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return /^[ZX]/.test(fields[0]!) ? '' : fields[22 - 3]
}

function isAlive({ process }: Node, pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM' // the process is another user's
  }
}
