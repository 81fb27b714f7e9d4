// How the text of an SQL statement that writes begins, as engine/sql/parse.go lists the statements. Written by
// `go test ./engine/sql -run TestTypeScriptTwin -update`: edit that list, not this file.

/** Matches white space. */
export const spaces = /[\u0009\u000a\u000b\u000c\u000d\u0020\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000]*/y

/** Matches the first word of a statement that may change something, and of no other that the engine runs. */
export const writingWords = /(?:insert|update|delete|create|drop)/iy
