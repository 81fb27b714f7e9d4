/**
 * Writes objects of JSON as MessagePack, from bytes to bytes: no text and no object is made of them, of which a large
 * import would leave more to the garbage collector than it stores. It takes what documents mostly are, and leaves to the
 * caller what is rare or wrong: what it takes, JSON.parse takes too, and means the same.
 */
export class JSONBytes {
  /** What is written, from {@link headRoom} to {@link length}. */
  out = new Uint8Array(firstCapacity)
  length = headRoom
  /** How many ends of lines the last object had in it. */
  lines = 0
  /** Whether the last object has the field _id. */
  isNamed = false

  private other = new Uint8Array(firstCapacity)
  private view = new DataView(this.out.buffer)
  private bytes: Uint8Array = new Uint8Array()
  private root = new Name(new Uint8Array(), undefined)
  private names = 0 // of which root leads to

  /** @param mayBreak Whether an object may go on in the next line. */
  constructor(private readonly mayBreak: boolean) {}

  /**
   * Starts again, and returns {@link out}, which is the caller's until it takes what is written after it. Two buffers
   * take turns: if each part of an import had one of its own, V8 would collect garbage for almost every part.
   */
  taken(): Uint8Array {
    const { out } = this
    this.out = this.other
    this.other = out
    this.view = new DataView(this.out.buffer)
    this.length = headRoom
    return out
  }

  /**
   * Writes the object that begins at `at` of `bytes`, which end with a zero. Returns where it ends; -1, and nothing is
   * written, if it is left to the caller, or has no end there.
   */
  object(bytes: Uint8Array, at: number): number {
    const { length } = this
    this.bytes = bytes
    this.lines = 0
    this.isNamed = false
    if (this.names > maxNames) {
      this.root = new Name(this.root.bytes, undefined)
      this.names = 0
    }
    const end = this.map(at, 0)
    if (end < 0) this.length = length
    return end
  }

  private map(at: number, depth: number): number {
    const { bytes } = this
    if (bytes[at] !== 0x7b || depth === maxDepth) return -1
    const start = this.length
    this.room(1)
    this.length++
    let count = 0
    let name = this.root
    let c = bytes[++at]!
    if (c <= 0x20) c = bytes[(at = this.space(at))]!
    while (c !== 0x7d || count > 0) {
      if (c !== 0x22) return -1
      const next = this.name(at + 1, name)
      if (!next) return -1
      name = next
      if (depth === 0 && name.isId) this.isNamed = true
      at += name.bytes.length + 2
      c = bytes[at]!
      if (c !== 0x3a) {
        if (c > 0x20 || bytes[(at = this.space(at))] !== 0x3a) return -1
      }
      at = this.value(at + 1, depth)
      if (at < 0) return -1
      count++
      c = bytes[at]!
      if (c <= 0x20) c = bytes[(at = this.space(at))]!
      if (c === 0x7d) break
      if (c !== 0x2c) return -1
      c = bytes[++at]!
      if (c <= 0x20) c = bytes[(at = this.space(at))]!
    }
    this.header(start, count, 0x80, 0xde)
    return at + 1
  }

  private list(at: number, depth: number): number {
    const { bytes } = this
    if (depth === maxDepth) return -1
    const start = this.length
    this.room(1)
    this.length++
    let count = 0
    if (bytes[(at = this.space(at + 1))] !== 0x5d) {
      for (;;) {
        at = this.value(at, depth)
        if (at < 0) return -1
        count++
        let c = bytes[at]!
        if (c <= 0x20) c = bytes[(at = this.space(at))]!
        at++
        if (c === 0x5d) break
        if (c !== 0x2c) return -1
      }
    } else at++
    this.header(start, count, 0x90, 0xdc)
    return at
  }

  private value(at: number, depth: number): number {
    const { bytes } = this
    let c = bytes[at]!
    if (c <= 0x20) c = bytes[(at = this.space(at))]!
    if (c === 0x22) return this.string(at + 1)
    if (c < 0x3a) return this.number(at)
    this.room(1)
    switch (c) {
      case 0x7b:
        return this.map(at, depth + 1)
      case 0x5b:
        return this.list(at, depth + 1)
      case 0x74:
        if (bytes[at + 1] !== 0x72 || bytes[at + 2] !== 0x75 || bytes[at + 3] !== 0x65) return -1
        this.out[this.length++] = 0xc3
        return at + 4
      case 0x66:
        if (bytes[at + 1] !== 0x61 || bytes[at + 2] !== 0x6c || bytes[at + 3] !== 0x73 || bytes[at + 4] !== 0x65) return -1
        this.out[this.length++] = 0xc2
        return at + 5
      case 0x6e:
        if (bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x6c || bytes[at + 3] !== 0x6c) return -1
        this.out[this.length++] = 0xc0
        return at + 4
    }
    return -1
  }

  private space(at: number): number {
    const { bytes } = this
    for (;; at++) {
      const c = bytes[at]!
      if (c === 0x0a && this.mayBreak) this.lines++
      else if (c !== 0x20 && c !== 0x09 && c !== 0x0d) return at
    }
  }

  /** Writes the name at `at`, which comes after `before`. Undefined: it is left to the caller. */
  private name(at: number, before: Name): Name | undefined {
    const { bytes } = this
    for (let name = before.first; name; name = name.other) {
      const known = name.bytes
      const { length } = known
      let i = 0
      while (i < length && bytes[at + i] === known[i]) i++
      if (i < length || bytes[at + length] !== 0x22) continue
      this.room(length + 5)
      this.text(known, 0, length)
      return name
    }
    return this.newName(at, before)
  }

  private newName(at: number, before: Name): Name | undefined {
    const { bytes } = this
    const start = this.length
    const end = this.string(at) - 1
    if (end < 0) return undefined
    const name = new Name(bytes.slice(at, end), before)
    // Escapes are rare in names; $date and its like have a meaning; objects have whole numbers first; the rest is refused.
    const text = String.fromCharCode(...name.bytes.subarray(0, 300))
    if (name.depth > maxFields || name.bytes.includes(0x5c) || text.startsWith('$') || text === '__proto__' || /^\d+$/.test(text) || name.isTwice()) {
      this.length = start
      return undefined
    }
    // Documents that all have other names must not fill the memory, nor make the lists long.
    let others = 0
    for (let other = before.first; other; other = other.other) others++
    if (others >= maxOthers) this.names = maxNames
    if (++this.names <= maxNames) {
      name.other = before.first
      before.first = name
    }
    return name
  }

  private string(at: number): number {
    const { bytes } = this
    let end = at
    while (plain[bytes[end]!] === 1) end++
    this.room(end - at + 5)
    if (bytes[end] !== 0x22) return this.oddString(at, end)
    this.text(bytes, at, end)
    return end + 1
  }

  /** Writes the bytes of a text. There is room for them. */
  private text(bytes: Uint8Array, from: number, to: number): void {
    const { out } = this
    const size = to - from
    let at = this.length
    if (size < 0x20) out[at++] = 0xa0 | size
    else at = this.textHeader(at, size)
    this.length = at + size
    if (size < shortText) for (; from < to; from++) out[at++] = bytes[from]!
    else out.set(bytes.subarray(from, to), at)
  }

  private textHeader(at: number, size: number): number {
    const { out } = this
    if (size < 0x20) {
      out[at] = 0xa0 | size
      return at + 1
    }
    if (size < 0x100) {
      out[at] = 0xd9
      out[at + 1] = size
      return at + 2
    }
    if (size < 0x10000) {
      out[at] = 0xda
      this.view.setUint16(at + 1, size)
      return at + 3
    }
    out[at] = 0xdb
    this.view.setUint32(at + 1, size)
    return at + 5
  }

  /** Writes a text that has escapes or more than ASCII: what is before `i` has neither. */
  private oddString(from: number, i: number): number {
    const { bytes } = this
    // As long as it is here, it is at most as it is there.
    let end = i
    while (bytes[end] !== 0x22) {
      const c = bytes[end]!
      if (c < 0x20) return -1
      end += c === 0x5c ? 2 : 1
      if (end > bytes.length) return -1
    }
    this.room(end - from + 5)
    const { out } = this
    const head = end - from < 0x20 ? 1 : end - from < 0x100 ? 2 : end - from < 0x10000 ? 3 : 5
    const start = this.length + head
    let at = start
    for (let j = from; j < i; j++) out[at++] = bytes[j]!
    while (i < end) {
      let c = bytes[i++]!
      if (c < 0x80) {
        if (c !== 0x5c) {
          out[at++] = c
          continue
        }
        c = bytes[i++]!
        if (c !== 0x75) {
          const plain = unescaped[c]!
          if (plain === 0) return -1
          out[at++] = plain
          continue
        }
        c = this.unit(i)
        if (c < 0) return -1
        i += 4
        if ((c & 0xf800) === 0xd800) {
          const low = c < 0xdc00 && bytes[i] === 0x5c && bytes[i + 1] === 0x75 ? this.unit(i + 2) : -1
          if ((low & 0xfc00) !== 0xdc00 || low < 0) return -1 // half of a character
          i += 6
          c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff)
          out[at++] = 0xf0 | (c >> 18)
          out[at++] = 0x80 | ((c >> 12) & 0x3f)
          out[at++] = 0x80 | ((c >> 6) & 0x3f)
          out[at++] = 0x80 | (c & 0x3f)
        } else if (c >= 0x800) {
          out[at++] = 0xe0 | (c >> 12)
          out[at++] = 0x80 | ((c >> 6) & 0x3f)
          out[at++] = 0x80 | (c & 0x3f)
        } else if (c >= 0x80) {
          out[at++] = 0xc0 | (c >> 6)
          out[at++] = 0x80 | (c & 0x3f)
        } else out[at++] = c
        continue
      }
      // UTF-8, in which no character is longer than it must be, or half.
      const more = c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) === 0xe0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 0
      const second = bytes[i]!
      if (more === 0 || (c === 0xe0 && second < 0xa0) || (c === 0xed && second > 0x9f) || (c === 0xf0 && second < 0x90) || (c === 0xf4 && second > 0x8f)) return -1
      out[at++] = c
      for (let n = 0; n < more; n++) {
        const next = bytes[i++]!
        if ((next & 0xc0) !== 0x80) return -1
        out[at++] = next
      }
    }
    const size = at - start
    const found = this.textHeader(this.length, size)
    if (found !== start) out.copyWithin(found, start, at)
    this.length = found + size
    return end + 1
  }

  /** The number of four hexadecimal digits; -1 if they are not. */
  private unit(at: number): number {
    let n = 0
    for (let i = 0; i < 4; i++) {
      const c = this.bytes[at + i]!
      const digit = c >= 0x30 && c <= 0x39 ? c - 0x30 : (c | 0x20) >= 0x61 && (c | 0x20) <= 0x66 ? (c | 0x20) - 0x57 : -1
      if (digit < 0) return -1
      n = (n << 4) | digit
    }
    return n
  }

  private number(at: number): number {
    const { bytes } = this
    const from = at
    const isNegative = bytes[at] === 0x2d
    if (isNegative) at++
    let n = 0
    let c = bytes[at]!
    const first = at
    while (c >= 0x30 && c <= 0x39) {
      n = n * 10 + (c - 0x30)
      c = bytes[++at]!
    }
    let digits = at - first
    if (digits === 0 || (digits > 1 && bytes[first] === 0x30)) return -1
    if (c !== 0x2e && (c | 0x20) !== 0x65) {
      if (digits > 16 || n > Number.MAX_SAFE_INTEGER) return -1 // the engine has integers of 64 bits
      if (isNegative && n === 0) this.float(-0)
      else this.integer(isNegative ? -n : n)
      return at
    }
    let fraction = 0
    if (c === 0x2e) {
      c = bytes[++at]!
      while (c >= 0x30 && c <= 0x39) {
        n = n * 10 + (c - 0x30)
        fraction++
        c = bytes[++at]!
      }
      if (fraction === 0) return -1
      digits += fraction
    }
    let isLong = digits > 15
    if ((c | 0x20) === 0x65) {
      c = bytes[++at]!
      if (c === 0x2b || c === 0x2d) c = bytes[++at]!
      const exponent = at
      while (c >= 0x30 && c <= 0x39) c = bytes[++at]!
      if (at === exponent) return -1
      isLong = true
    }
    // Both numbers of the division are exact, so its result is the nearest there is.
    const value = isLong ? Number(String.fromCharCode(...bytes.subarray(from, Math.min(at, from + maxDigits)))) : isNegative ? -(n / tens[fraction]!) : n / tens[fraction]!
    if (!Number.isFinite(value) || at - from > maxDigits) return -1
    this.float(value)
    return at
  }

  private integer(value: number): void {
    this.room(9)
    const { out, view } = this
    let at = this.length
    if (value >= 0) {
      if (value < 0x80) out[at++] = value
      else if (value < 0x100) {
        out[at++] = 0xcc
        out[at++] = value
      } else if (value < 0x10000) {
        out[at++] = 0xcd
        out[at++] = value >> 8
        out[at++] = value
      } else if (value <= 0xffffffff) {
        out[at] = 0xce
        view.setUint32(at + 1, value)
        at += 5
      } else {
        out[at] = 0xcf
        view.setUint32(at + 1, Math.floor(value / 0x100000000))
        view.setUint32(at + 5, value >>> 0)
        at += 9
      }
    } else if (value >= -0x20) out[at++] = value
    else if (value >= -0x80) {
      out[at++] = 0xd0
      out[at++] = value
    } else if (value >= -0x8000) {
      out[at++] = 0xd1
      out[at++] = value >> 8
      out[at++] = value
    } else if (value >= -0x80000000) {
      out[at] = 0xd2
      view.setInt32(at + 1, value)
      at += 5
    } else {
      out[at] = 0xd3
      view.setInt32(at + 1, Math.floor(value / 0x100000000))
      view.setUint32(at + 5, value >>> 0)
      at += 9
    }
    this.length = at
  }

  private float(value: number): void {
    this.room(9)
    this.out[this.length] = 0xcb
    this.view.setFloat64(this.length + 1, value)
    this.length += 9
  }

  /** Writes the header of the `count` values after `start`, where there is room for one byte of it. */
  private header(start: number, count: number, short: number, long: number): void {
    if (count < 0x10) {
      this.out[start] = short | count
      return
    }
    const more = count < 0x10000 ? 2 : 4
    this.room(more)
    this.out.copyWithin(start + 1 + more, start + 1, this.length)
    this.out[start] = more === 2 ? long : long + 1
    if (more === 2) this.view.setUint16(start + 1, count)
    else this.view.setUint32(start + 1, count)
    this.length += more
  }

  private room(size: number): void {
    if (this.length + size > this.out.length) this.grow(size)
  }

  private grow(size: number): void {
    const out = new Uint8Array(Math.max(2 * this.out.length, this.length + size))
    out.set(this.out.subarray(0, this.length))
    this.out = out
    this.view = new DataView(out.buffer)
  }
}

/**
 * A name of a field after those of the fields before it, which most documents of a file have in the same order: then
 * it is compared with the one name that is expected, and no name stands twice.
 */
class Name {
  /** The names that have come next, the newest first, each with the one before in `other`. */
  first: Name | undefined
  other: Name | undefined
  readonly depth: number
  readonly isId: boolean

  constructor(
    readonly bytes: Uint8Array,
    private readonly before: Name | undefined,
  ) {
    this.depth = before ? before.depth + 1 : 0
    this.isId = bytes.length === 3 && bytes[0] === 0x5f && bytes[1] === 0x69 && bytes[2] === 0x64
  }

  /** Whether a field before has the same name. */
  isTwice(): boolean {
    for (let name = this.before!; name.before; name = name.before) {
      if (name.bytes.length === this.bytes.length && name.bytes.every((c, i) => c === this.bytes[i])) return true
    }
    return false
  }
}

/** How many bytes are left free before what is written, for the name of the collection. */
export const headRoom = 272
const firstCapacity = 64 << 10
/** How deep objects and arrays may nest here; the engine has its own limit. */
const maxDepth = 100
/** How many fields an object may have here: each new one is compared with all before. */
const maxFields = 256
/** How many names are known, and after one name. */
const maxNames = 4096
const maxOthers = 32
/** How many digits a number may have here. */
const maxDigits = 400
/** From this length on, `set` is faster than a loop. */
const shortText = 48

/** 1 for the bytes of a text that are themselves: ASCII but for control characters, quotes and backslashes. */
const plain = Uint8Array.from({ length: 256 }, (_, c) => (c >= 0x20 && c < 0x80 && c !== 0x22 && c !== 0x5c ? 1 : 0))

/** What stands for the byte after a backslash; 0: there is no such escape. */
const unescaped = Uint8Array.from({ length: 256 }, (_, c) => {
  const at = '"\\/bfnrt'.indexOf(String.fromCharCode(c))
  return at < 0 ? 0 : '"\\/\b\f\n\r\t'.charCodeAt(at)
})

/** The powers of ten that a number holds exactly. */
const tens = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`))
