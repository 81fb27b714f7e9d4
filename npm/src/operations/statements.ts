// The first words of SQL statements that write, as engine/sql/parse.go lists them. Written by
// `go test ./engine/sql -run TestTypeScriptTwin -update`: edit that list, not this file.

/** Matches the first word of a statement that may change something, and of no other that the engine runs. */
export const writingWord = /^(?:insert|replace|update|delete|create|drop)$/i
