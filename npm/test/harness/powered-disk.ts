import { execFile } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A disk whose power can be cut. */
export interface PoweredDisk extends AsyncDisposable {
  /** Where it is mounted; {@link cut} changes it. */
  readonly folder: string
  /** Cuts the power, and mounts what a machine finds that starts again. Nobody may write to the disk meanwhile. */
  cut(): Promise<void>
  /** Writes everything to the disk. */
  sync(): Promise<void>
}

/**
 * A disk of so many MiB: an ext4 file system in a file. A copy of the file has what the kernel has written to the disk,
 * and not what it still keeps in memory. Only root on Linux can make one; otherwise undefined.
 */
export async function poweredDisk(size: number): Promise<PoweredDisk | undefined> {
  const base = await mkdtemp(join(tmpdir(), 'atomicdb-disk-'))
  let mounts = 0
  let folder = ''
  const image = () => join(base, `image${mounts}`)
  const mount = async () => {
    folder = await mkdtemp(join(base, 'mounted-'))
    // The kernel syncs by itself once in 600 s, so that a test sees what the database has synced.
    await run('mount', ['-t', 'ext4', '-o', 'loop,commit=600', image(), folder])
  }
  const unmount = () => run('umount', ['--lazy', folder]) // after a failed test, a file may still be open
  try {
    const file = await open(image(), 'w')
    await file.truncate(size << 20)
    await file.close()
    await run('mkfs.ext4', ['-q', '-F', image()])
    await mount()
  } catch {
    await rm(base, { recursive: true })
    return undefined
  }
  return {
    get folder() {
      return folder
    },
    async cut() {
      const before = image()
      mounts++
      await run('cp', ['--sparse=always', before, image()])
      await unmount()
      await rm(before)
      await mount()
    },
    sync: async () => void (await run('sync', ['--file-system', folder])),
    [Symbol.asyncDispose]: async () => {
      await unmount()
      await rm(base, { recursive: true })
    },
  }
}
