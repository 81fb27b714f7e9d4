/** Brackets and functions inside one another. The engine takes no condition that is deeper than 100. */
const maxDepth = 200

/**
 * Reads a condition of the query builder, `q.country.eq('NO').and(not(q.lat.gt(60)))`,
 * and returns what JavaScript would. The text is never run: a link can bring it,
 * so nothing but fields, operators and values may be in it.
 *
 *     condition := ('and' | 'or' | 'not') '(' conditions ')' next | '(' condition ')' next | field next
 *     field     := 'q' | the parameter of a function around it
 *     next      := ('.' name | '[' text ']' | '(' arguments ')')*
 *     argument  := value | condition | name '=>' condition
 *     value     := text | number | true | false | null | undefined | /pattern/flags | 'new Date(' value ')' | [values] | {name: value}
 *
 * @param roots {q, and, or, not}
 * @throws SyntaxError with the line and the column; what the library throws, if it refuses the condition.
 */
export function readBuilder(text, { q, and, or, not }) {
  return new Reader(text, { and, or, not }).whole(q)
}

const blank = /(?:\s|\/\/.*|\/\*[^]*?\*\/)*/y
const name = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy
const number = /(?:0[xX][\da-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?:n(?![\p{ID_Continue}$]))?(?![\p{ID_Continue}$.])/uy
const pattern = /\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*)\/([a-z]*)/y
const quoted = /'((?:\\[^]|[^'\\\n])*)'|"((?:\\[^]|[^"\\\n])*)"|`((?:\\[^]|[^`\\$]|\$(?!\{))*)`/y
const escape = /\\(?:u\{([\da-fA-F]+)\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|(\r\n|[^]))/g
const escapes = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', 0: '\0', '\n': '', '\r\n': '', '\u2028': '', '\u2029': '' }

/**
 * Reads the text once, into functions of the fields that are known where they
 * stand: a Map of q and of the parameters of the functions around. Nothing of
 * the library is called before all of the text has been read.
 */
class Reader {
  #text
  #at = 0
  #depth = 0
  #joins // and, or, not
  #names = ['q'] // the fields that are known here

  constructor(text, joins) {
    this.#text = text
    this.#joins = joins
  }

  whole(q) {
    const condition = this.#condition()
    this.#skip()
    if (this.#at < this.#text.length) this.#fail('the end')
    return condition(new Map([['q', q]]))
  }

  #condition() {
    return this.#inside(() => {
      if (this.#takes('(')) {
        const condition = this.#condition()
        this.#expects(')')
        return this.#afterCondition(condition)
      }
      const start = this.#at
      const word = this.#match(name)?.[0]
      if (this.#names.includes(word)) return this.#afterField(fields => fields.get(word))
      if (word !== undefined && Object.hasOwn(this.#joins, word)) {
        const join = this.#joins[word]
        this.#expects('(')
        const all = this.#list(')', () => this.#condition())
        return this.#afterCondition(fields => join(...all.map(condition => condition(fields))))
      }
      this.#at = start
      return this.#fail(`a condition, which begins with ${[...this.#names, 'and', 'or'].join(', ')} or not`)
    })
  }

  /** What follows a field: names, and the call of an operator, which makes it a condition. */
  #afterField(field) {
    for (;;) {
      let word
      if (this.#takes('.')) word = this.#match(name)?.[0] ?? this.#fail('a name')
      else if (this.#takes('[')) {
        word = this.#match(number)?.[0] ?? this.#string() ?? this.#fail('a text')
        this.#expects(']')
      } else return field // the library says that its operator is missing

      const owner = field
      if (!this.#takes('(')) {
        field = fields => owner(fields)[word]
        continue
      }
      const all = this.#list(')', () => this.#argument())
      const called = fields => owner(fields)[word](...all.map(argument => argument(fields)))
      if (word !== 'field') return this.#afterCondition(called)
      field = called
    }
  }

  /** What follows a condition. It is an object of the library, and a text can reach these three of its properties. */
  #afterCondition(condition) {
    while (this.#takes('.')) {
      const word = ['and', 'or', 'not'].find(word => this.#takes(word)) ?? this.#fail('and(…), or(…) or not()')
      this.#expects('(')
      const all = this.#list(')', () => this.#condition())
      const owner = condition
      condition = fields => owner(fields)[word](...all.map(condition => condition(fields)))
    }
    return condition
  }

  #argument() {
    const start = this.#at
    const inBrackets = this.#takes('(')
    const parameter = this.#match(name)?.[0]
    if (parameter !== undefined && (!inBrackets || this.#takes(')')) && this.#takes('=>')) {
      const outer = this.#names
      this.#names = [...outer, parameter]
      const condition = this.#condition()
      this.#names = outer
      return fields => element => condition(new Map(fields).set(parameter, element))
    }
    this.#at = start
    if (this.#names.includes(parameter)) return this.#condition() // the library says what is wrong with it
    const value = this.#value()
    return () => value
  }

  #value() {
    return this.#inside(() => {
      const text = this.#string()
      if (text !== undefined) return text
      if (this.#takes('[')) return this.#list(']', () => this.#value())
      if (this.#takes('{')) return Object.fromEntries(this.#list('}', () => this.#entry()))
      const sign = this.#takes('-') ? -1 : this.#takes('+') ? 1 : undefined
      const digits = this.#match(number)?.[0]
      if (digits !== undefined) {
        if (!digits.endsWith('n')) return Number(digits) * (sign ?? 1)
        return this.#made(() => BigInt(digits.slice(0, -1)) * BigInt(sign ?? 1))
      }
      if (sign !== undefined) return this.#fail('a number')
      const found = this.#match(pattern)
      if (found) return this.#made(() => new RegExp(found[1], found[2]))
      const start = this.#at
      const word = this.#match(name)?.[0]
      if (word === 'new' && this.#match(name)?.[0] === 'Date' && this.#takes('(')) return new Date(...this.#list(')', () => this.#value()))
      if (word !== undefined && Object.hasOwn(words, word)) return words[word]
      this.#at = start
      return this.#fail('a value')
    })
  }

  #entry() {
    const key = this.#string() ?? this.#match(name)?.[0] ?? this.#fail('a name')
    this.#expects(':')
    return [key, this.#value()]
  }

  #string() {
    const found = this.#match(quoted)
    if (!found) return undefined
    return (found[1] ?? found[2] ?? found[3]).replace(escape, (all, long, four, two, one) => {
      if (one !== undefined) return Object.hasOwn(escapes, one) ? escapes[one] : one
      return this.#made(() => String.fromCodePoint(parseInt(long ?? four ?? two, 16)))
    })
  }

  /** Items between commas, and the bracket after them. A comma may be the last. */
  #list(close, item) {
    const items = []
    while (!this.#takes(close)) {
      items.push(item())
      if (this.#takes(close)) break
      if (!this.#takes(',')) this.#fail(`"," or "${close}"`)
    }
    return items
  }

  #inside(read) {
    if (++this.#depth > maxDepth) this.#fail(`at most ${maxDepth} brackets inside one another`)
    const result = read()
    this.#depth--
    return result
  }

  #made(make) {
    try {
      return make()
    } catch (error) {
      throw new SyntaxError(error.message, { cause: error })
    }
  }

  #skip() {
    blank.lastIndex = this.#at
    this.#at += blank.exec(this.#text)[0].length
  }

  #match(expression) {
    this.#skip()
    expression.lastIndex = this.#at
    const found = expression.exec(this.#text)
    if (found) this.#at += found[0].length
    return found
  }

  #takes(sign) {
    this.#skip()
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  #expects(sign) {
    if (!this.#takes(sign)) this.#fail(`"${sign}"`)
  }

  #fail(expected) {
    this.#skip()
    const before = this.#text.slice(0, this.#at).split('\n')
    const [line, column] = [before.length, before.at(-1).length + 1]
    const rest = this.#text.slice(this.#at).split('\n')[0]
    throw new SyntaxError(`line ${line}, column ${column}: expected ${expected}\n${before.at(-1)}${rest}\n${' '.repeat(column - 1)}^`)
  }
}

const words = { true: true, false: false, null: null, undefined }
