import type { Node } from './node.js'
import { operators, type Operator } from './operators.js'

/** Writes a condition as the text that the engine reads back as the same condition. */
export function textOf(node: Node): string {
  switch (node[0]) {
    case 'true':
    case 'false':
      return node[0]
    case 'and':
    case 'or':
      return (node.slice(1) as Node[]).map((kid) => (kid[0] === 'or' && node[0] === 'and' ? `(${textOf(kid)})` : textOf(kid))).join(` ${node[0]} `)
    case 'not':
      return textOfNot(node[1])
  }
  const [takes, sign] = operators[node[0]]
  const start = `${pathText(node[1])} ${sign}`
  switch (takes) {
    case 'ends':
      return `${start} ${valueText(node[2])} and ${valueText(node[3])}`
    case 'list':
      return `${start} (${(node[2] as unknown[]).map(valueText).join(', ')})`
    case 'yes':
      return node[2] ? start : `not (${start})`
    case 'type':
    case 'size':
      return `${start} ${node[2]}`
    case 'condition':
      return `${start} (${textOf(node[2] as Node)})`
  }
  return `${start} ${valueText(node[2])}`
}

/** The opposite of `node`, as people write it. */
function textOfNot(node: Node): string {
  const [, , opposite] = operators[node[0] as Operator] ?? []
  if (opposite) return textOf([opposite, ...node.slice(1)] as unknown as Node)
  return `not (${textOf(node)})`
}

const plainName = /^[\p{L}_$][\p{L}\p{M}\p{Nd}_$]*$/u
const plainPath = /^[\p{L}_$][\p{L}\p{M}\p{Nd}_$]*(\.[\p{L}\p{M}\p{Nd}_$]+)*$/u
const reservedPath = /^(and|or|not|true|false|this(\..*)?)$/i

/** A path, in back-quotes if it could not be read without them. */
function pathText(path: string): string {
  if (path === '') return 'this'
  if (plainPath.test(path) && !reservedPath.test(path)) return path
  return `\`${path.replaceAll('`', '``')}\``
}

function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return numberText(value)
    case 'object':
      break
    default:
      return String(value)
  }
  if (value === null) return 'null'
  if (value instanceof Date) return `date('${value.toISOString()}')`
  if (value instanceof Uint8Array) return `bytes('${base64(value)}')`
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  const fields = Object.entries(value).map(([key, v]) => `${plainName.test(key) ? key : stringText(key)}: ${valueText(v)}`)
  return `{${fields.join(', ')}}`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  // Written without an exponent it would be an integer, with digits after the 17th that the float does not have.
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential()
  return String(value)
}

const escapes: Record<string, string> = { "'": "\\'", '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A string in quotes, on one line. Characters that cannot be seen are written as \uXXXX. */
function stringText(text: string): string {
  const escaped = text.replace(/['\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (c) => {
    return escapes[c] ?? (c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)
  })
  return `'${escaped}'`
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
