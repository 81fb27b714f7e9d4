/** How wide the bar is, in characters. */
const width = 24

/** Shows on a terminal how far something is; nothing in a pipe. */
export class Progress {
  private readonly isShown = process.stderr.isTTY

  /** Shows how many documents of `what` are done, and with its `size` in bytes a bar. */
  of(what: string, size?: number): (bytes: number, documents: number) => void {
    return (bytes, documents) => {
      if (!this.isShown) return
      const part = size ? Math.min(1, bytes / size) : undefined
      const bar = part === undefined ? '' : `${'█'.repeat(Math.round(width * part)).padEnd(width, '░')} ${String(Math.floor(100 * part)).padStart(3)} %  `
      process.stderr.write(`\r\u001b[K${bar}${counted(documents, 'document')}  ${what}`)
    }
  }

  /** Takes the bar away, and says on a terminal how it ended. */
  end(text = ''): void {
    if (this.isShown) process.stderr.write(`\r\u001b[K${text && `${text}\n`}`)
  }
}

export const counted = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

export function size(bytes: number): string {
  for (const [unit, of] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) if (bytes >= of) return `${(bytes / of).toFixed(1)} ${unit}`
  return `${bytes} B`
}
