// Tells in development of a field that a condition has and no document: one warning a path; and of a text in SQL that
// double quotes have made a field. It is loaded with the first answer that is empty.

/** What is asked of a collection. It is handed over, as index.js has it; see streams/host.ts. */
export interface Collection {
  readonly name: string
  /** The parts of the condition, as text that begins with a path. */
  parts(): Promise<readonly string[]>
  schema(): Promise<unknown>
  /** Some of its documents. */
  sample(): Promise<readonly object[]>
  /** Whether a document has the path. */
  has(path: string): Promise<boolean>
}

/** The collections and paths that were looked at. */
const asked = new Set<string>()

/** Warns of the paths of a condition that have found nothing because they are mistyped, as far as that can be known. */
export async function warnOfMistyped(collection: Collection): Promise<void> {
  for (const part of await collection.parts()) {
    const [, path] = /^(?:not )?([a-z_$][\w$]*(?:\.[a-z_$][\w$]*)*)\s/i.exec(part) ?? []
    if (path === undefined || path === '_id') continue
    const key = JSON.stringify([collection.name, path])
    if (asked.has(key)) continue
    asked.add(key)
    const known = namesBeside(path, await collection.sample())
    const isForbidden = forbids(await collection.schema(), path)
    const near = nearest(path, known)
    // A field that no document has yet may be right; one that is nearly another is not.
    if (!isForbidden && (near === undefined || (await collection.has(path)))) continue
    console.warn(`atomicdb: ${isForbidden ? `the schema of the collection ${collection.name} has` : `no document of the collection ${collection.name} has`} ${isForbidden ? 'no' : 'the'} field ${path}${near === undefined ? '' : `; is ${near} meant?`} (this is told once, and only in development)`)
  }
}

/** Warns of a name in double quotes that an SQL statement, which has found nothing, compares a field with. */
export function warnOfQuotes(statement: string): void {
  const [, name] = /(?:=|<>|<|>|\blike|\bin\s*\()\s*"([^"]*)"/i.exec(statement) ?? []
  if (name === undefined || asked.has(name)) return
  asked.add(name)
  console.warn(`atomicdb: in SQL, "${name}" is the field of that name; is the text '${name}' meant? (this is told once, and only in development)`)
}

/** The paths in documents that differ from `path` in the last name alone. */
function namesBeside(path: string, documents: readonly object[]): Set<string> {
  const above = path.split('.').slice(0, -1)
  const names = new Set<string>()
  for (const document of documents) {
    let inside: unknown = document
    for (const name of above) inside = (inside as Record<string, unknown> | undefined)?.[name]
    if (typeof inside === 'object' && inside !== null) for (const name of Object.keys(inside)) names.add([...above, name].join('.'))
  }
  return names
}

/** Whether a schema says that no document has the field. */
function forbids(schema: unknown, path: string): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  const { additionalProperties, properties, ...others } = schema as { additionalProperties?: unknown; properties?: object }
  const isWhole = !['patternProperties', '$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas'].some((keyword) => keyword in others)
  return additionalProperties === false && isWhole && !Object.hasOwn(properties ?? {}, path.split('.')[0]!)
}

/** The path that differs from `path` in a letter, in a longer name in two. */
function nearest(path: string, known: ReadonlySet<string>): string | undefined {
  if (known.has(path)) return undefined
  const distances = [...known].map((other) => [distance(path.toLowerCase(), other.toLowerCase()), other] as const).sort(([a], [b]) => a - b)
  const [least] = distances
  return least && least[0] <= (path.length < 6 ? 1 : 2) ? least[1] : undefined
}

/** How many letters have to be added, removed, changed, or exchanged with the next. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, n) => n)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
