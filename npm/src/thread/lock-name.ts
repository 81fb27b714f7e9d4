/** A name of a Web Lock that no other thread or page has. */
export const lockName = () => `atomicdb worker ${Math.random()}`
