import { Fault, type Host } from './host.js'

/** What is used of node:child_process. */
interface ChildProcesses {
  spawn(command: string, args: readonly string[], options: { stdio: readonly ('ignore' | number)[] }): {
    once(event: 'error', listener: (error: Error & { code?: string }) => void): void
    once(event: 'close', listener: (code: number | null) => void): void
  }
}

/** How long to wait for another process, in seconds. */
const timeout = 30

/**
 * Locks an open file for this process, as Go's filelog does, until it is closed or the process ends. Node has no flock of its
 * own. But a lock belongs to the open file, which a child process can be given: so the command `flock` takes it for us.
 *
 * @param path How errors name the file.
 * @throws `timeout` if another process has locked it for 30 s, `unsupported` if there is no such command.
 */
export async function lockFile({ nodeModule }: Host, fd: number, path: string): Promise<void> {
  const { spawn } = await nodeModule<ChildProcesses>('node:child_process')
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('flock', ['-x', '-w', String(timeout), '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
    child.once('close', resolve)
    child.once('error', (cause) => {
      reject(cause.code === 'ENOENT' ? new Fault('unsupported', 'FileStorage needs the command flock, which Linux has; elsewhere, use SQLiteStorage or LMDBStorage') : cause)
    })
  })
  if (code === 1) throw new Fault('timeout', `another process has locked ${path} for ${timeout} s`)
  if (code !== 0) throw new Fault('storage', `flock could not lock ${path}: it ended with ${code}`)
}
