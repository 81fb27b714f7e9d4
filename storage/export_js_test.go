package storage

// Await blocks until a promise settles.
var Await = await
