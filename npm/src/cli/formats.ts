/** How documents may be given and written. */
export const formats = ['json', 'ndjson', 'csv', 'msgpack'] as const
export type Format = (typeof formats)[number]

/** The format that the name of a file ends in. */
export function formatOf(path: string): Format | undefined {
  const end = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase()
  return formats.find((format) => format === end || (format === 'ndjson' && end === 'jsonl') || (format === 'msgpack' && end === 'mp') || (format === 'csv' && end === 'tsv'))
}
