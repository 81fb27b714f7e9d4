import { writingWord } from './statements.js'

const tokens = /['"`;(),]|--|\/\*|[\p{L}\p{N}_$]+/gu

/** Whether `text`, if it is a statement, or several, may change something. `isWriting` in engine/sql is its twin. */
export function isWriting(text: string): boolean {
  let verb: 'first' | 'after WITH' | 'decided' = 'first'
  let depth = 0
  let isClosed = false // a parenthesis of WITH has just ended
  tokens.lastIndex = 0
  for (let found; (found = tokens.exec(text)); ) {
    const [token] = found
    const end = token === '--' ? '\n' : token === '/*' ? '*/' : token === "'" || token === '"' || token === '`' ? token : ''
    if (end !== '') {
      const at = text.indexOf(end, tokens.lastIndex)
      if (at < 0) return false
      tokens.lastIndex = at + end.length
    } else if (token === ';') {
      verb = 'first'
      depth = 0
      isClosed = false
    } else if (token === ',') isClosed = false
    else if (token === '(') depth++
    else if (token === ')') isClosed = --depth === 0
    else {
      if (verb === 'first' || (verb === 'after WITH' && isClosed && depth === 0)) {
        if (writingWord.test(token)) return true
        if (verb === 'first' && /^with$/i.test(token)) verb = 'after WITH'
        else if (verb === 'first' || !/^as$/i.test(token)) {
          verb = 'decided'
          if (!text.includes(';', tokens.lastIndex)) return false
        }
      }
      isClosed = false
    }
  }
  return false
}
