import type { Person } from '../people.js'

/** The columns of a table of people, for SQL databases: nested fields have columns of their own, tags are JSON. */
export const columns = '_id, name, age, email, active, tags, city, zip, score, bio'

type Cell = string | number | boolean | null | Uint8Array

/** A person as the cells of `columns`; a boolean is 0 or 1. */
export function toRow(p: Person): (string | number)[] {
  return [p._id, p.name, p.age, p.email, Number(p.active), JSON.stringify(p.tags), p.address.city, p.address.zip, p.score, p.bio]
}

/** The person of such cells. */
export function fromRow([_id, name, age, email, active, tags, city, zip, score, bio]: readonly Cell[]): Person {
  return { _id, name, age, email, active: active === 1, tags: JSON.parse(tags as string), address: { city, zip }, score, bio } as Person
}

/** The table and its indexes in SQLite's SQL. */
export const schema = `
  CREATE TABLE IF NOT EXISTS people (_id TEXT PRIMARY KEY, name TEXT, age INTEGER, email TEXT, active INTEGER, tags TEXT, city TEXT, zip TEXT, score REAL, bio TEXT);
  CREATE UNIQUE INDEX IF NOT EXISTS people_email ON people (email);
  CREATE INDEX IF NOT EXISTS people_age ON people (age);
  CREATE INDEX IF NOT EXISTS people_score ON people (score);`

/** Adds a row, whose cells are parameters. */
export const insertOne = 'INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
