/**
 * AtomicDB in Durable Objects of Cloudflare, and {@link connect}, which uses such a database from elsewhere.
 *
 * @packageDocumentation
 */
import '../workerd.js'

export { AtomicDurableObject, type Answer, type AnswerError } from './durable-object.js'
export { connect, type ConnectOptions, type ObjectStub, type Target } from './connect.js'
export { fanOut, FanOutError, shardOf, type CallableObject, type FanOut, type FanOutFailure, type FanOutOptions, type FanOutSettings } from './shards.js'
export type { Access } from './access.js'
