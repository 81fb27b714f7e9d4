// What atomicdb/worker has outside Workers, where there is no class for objects.
export { connect, type ConnectOptions, type ObjectStub, type Target } from './connect.js'
export { fanOut, shardOf, type CallableObject, type FanOut, type FanOutOptions } from './shards.js'
