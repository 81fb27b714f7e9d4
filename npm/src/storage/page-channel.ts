import { newChannel } from '../node-modules.js'

/**
 * A BroadcastChannel that is closed while the page is frozen: in the back/forward cache, a message would end the page
 * there. It is made when it is needed.
 */
export class PageChannel {
  private channel: BroadcastChannel | undefined
  private isFrozen = false

  /**
   * @param hear Gets each message of others: any script of the origin may post them.
   * @param goOn Is called when the page goes on, which may have missed some.
   */
  constructor(private readonly name: string, private readonly hear: (data: unknown) => void, private readonly goOn: () => void) {}

  /** Listens from now on. */
  open(): void {
    if (this.channel) return
    this.channel = newChannel(this.name)
    this.channel.onmessage = ({ data }) => this.hear(data)
    this.eachEvent((target, name, listener) => target.addEventListener(name, listener)) // the same listener counts once
  }

  post(message: unknown): void {
    this.open()
    this.channel!.postMessage(message)
    if (this.isFrozen) this.endChannel() // it stands still only in a moment
  }

  close(): void {
    this.endChannel()
    this.isFrozen = false
    this.eachEvent((target, name, listener) => target.removeEventListener(name, listener))
  }

  private endChannel(): void {
    this.channel?.close()
    this.channel = undefined
  }

  private readonly freeze = () => {
    this.isFrozen = true
    this.endChannel()
  }

  private readonly resume = () => {
    this.isFrozen = false
    this.open()
    this.goOn()
  }

  /** A worker has none of these events. */
  private eachEvent(use: (target: EventTarget, name: string, listener: () => void) => void): void {
    if (typeof document === 'undefined' || typeof document.addEventListener !== 'function') return
    use(document, 'freeze', this.freeze)
    use(document, 'resume', this.resume)
  }
}
