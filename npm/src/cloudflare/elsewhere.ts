// What atomicdb/worker has outside Workers, where there is no class for objects.
export { connect, type ConnectOptions, type ObjectStub, type Target } from './connect.js'
export { fanOut, FanOutError, shardOf, type CallableObject, type FanOut, type FanOutFailure, type FanOutOptions, type FanOutSettings } from './shards.js'
