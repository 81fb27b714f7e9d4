package schema

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The rules of IDNA 2008 for host names that are not ASCII: RFC 5890 to 5893. The
// regular expressions have brought Unicode's categories and scripts into the wasm.
// Three tables are not there, and would take 60 kB, so that
//
//   - a character that NFKC would replace is known by its category and block, which
//     finds fullwidth and other compatibility forms, but not all
//   - the direction of a character follows from its script
//   - the joining type of a character, which counts beside a zero width non-joiner, too

// isIDNHostname checks a name in Unicode, in xn--, or in both.
func isIDNHostname(text []byte) bool {
	if isASCII(text) {
		return isHostname(text) && !hasHyphens(text)
	}
	if len(text) > 4*253 {
		return false
	}
	name := string(text)
	for _, dot := range []string{"。", "．", "｡"} {
		name = strings.ReplaceAll(name, dot, ".")
	}
	length, bidi := -1, false
	var labels [][]rune
	for more := true; more; {
		var label string
		label, name, more = cut(name, ".")
		runes, size := readLabel(label)
		if runes == nil || size > 63 {
			return false
		}
		length += size + 1
		labels = append(labels, runes)
		bidi = bidi || slices.ContainsFunc(runes, isRightToLeft)
	}
	if length > 253 {
		return false
	}
	for _, label := range labels {
		if bidi && !keepsDirection(label) {
			return false
		}
	}
	return true
}

// readLabel returns the characters of a label in Unicode or in xn--, and how long it
// is in ASCII; nil if it is none.
func readLabel(label string) (runes []rune, size int) {
	if isASCII([]byte(label)) {
		if !isHostname([]byte(label)) || hasHyphens([]byte(label)) {
			return nil, 0
		}
		if isALabel([]byte(label)) {
			return decodePunycode(label[4:]), len(label)
		}
		return []rune(label), len(label)
	}
	runes = []rune(label)
	if len(runes) > 63 || !isULabel(runes) {
		return nil, 0
	}
	return runes, len("xn--") + len(encodePunycode(runes))
}

//go:noinline
func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// hasHyphens reports whether a label has -- where xn-- has it, and is none.
func hasHyphens(text []byte) bool {
	rest, more := string(text), true
	for more {
		var label string
		if label, rest, more = cut(rest, "."); len(label) >= 4 && label[2:4] == "--" && !isALabel([]byte(label)) {
			return true
		}
	}
	return false
}

func isALabel(label []byte) bool {
	return len(label) >= 4 && label[0]|0x20 == 'x' && label[1]|0x20 == 'n' && label[2] == '-' && label[3] == '-'
}

// isPunycode reports whether a label that begins with xn-- stands for a label that
// may be in a name, and is the one way to write it.
func isPunycode(label []byte) bool {
	lower := strings.ToLower(string(label[4:]))
	runes := decodePunycode(lower)
	return runes != nil && isULabel(runes) && encodePunycode(runes) == lower &&
		(!slices.ContainsFunc(runes, isRightToLeft) || keepsDirection(runes))
}

// isULabel: RFC 5891, 4.2.3.
func isULabel(label []rune) bool {
	n := len(label)
	if n == 0 || label[0] == '-' || label[n-1] == '-' || n >= 4 && label[2] == '-' && label[3] == '-' || unicode.Is(unicode.M, label[0]) {
		return false
	}
	beyondASCII := false
	for i, r := range label {
		beyondASCII = beyondASCII || r >= utf8.RuneSelf
		if !isAllowed(label, i) {
			return false
		}
	}
	return beyondASCII
}

// isAllowed: the derived property of RFC 5892, 2 to 3, and the rules of its appendix A
// for the character at a place.
func isAllowed(label []rune, i int) bool {
	r := label[i]
	before, after := rune(-1), rune(-1)
	if i > 0 {
		before = label[i-1]
	}
	if i+1 < len(label) {
		after = label[i+1]
	}
	switch r {
	case 'ß', 'ς', 0x06fd, 0x06fe, 0x0f0b, 0x3007:
		return true
	case 0x0640, 0x07fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b:
		return false
	case 0x00b7:
		return before == 'l' && after == 'l'
	case 0x0375:
		return unicode.Is(unicode.Greek, after)
	case 0x05f3, 0x05f4:
		return unicode.Is(unicode.Hebrew, before)
	case 0x30fb:
		return slices.ContainsFunc(label, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) })
	case 0x200d:
		return isVirama(before)
	case 0x200c:
		return isVirama(before) || joinsBothWays(label, i)
	}
	switch {
	case r < utf8.RuneSelf:
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-'
	case r >= 0x0660 && r <= 0x0669:
		return !slices.ContainsFunc(label, func(r rune) bool { return r >= 0x06f0 && r <= 0x06f9 })
	case !unicode.In(r, unicode.Ll, unicode.Lo, unicode.Lm, unicode.Nd, unicode.Mn, unicode.Mc):
		return false
	}
	return !isCompatible(r) && unicode.SimpleFold(unicode.ToLower(r)) >= 0
}

// isCompatible reports whether r lies where Unicode keeps forms that NFKC replaces:
// ligatures, presentation forms, fullwidth and mathematical letters, old Jamo.
//
//go:noinline
func isCompatible(r rune) bool {
	switch {
	case r >= 0x1100 && r <= 0x11ff, r >= 0xa960 && r <= 0xa97f, r >= 0xd7b0 && r <= 0xd7ff:
		return true
	case r >= 0xf900 && r <= 0xfaff:
		return !(r >= 0xfa0e && r <= 0xfa29)
	case r >= 0xfb00 && r <= 0xfdff, r >= 0xfe00 && r <= 0xfe0f, r >= 0xfe70 && r <= 0xfefc, r >= 0xff00 && r <= 0xffef:
		return true
	case r >= 0x1d400 && r <= 0x1d7ff, r >= 0x2f800 && r <= 0x2fa1f, r >= 0x3130 && r <= 0x318f:
		return true
	case r >= 0x02b0 && r <= 0x02b8, r >= 0x1d2c && r <= 0x1d6a, r == 0x00aa, r == 0x00ba, r == 0x017f:
		return true
	}
	return false
}

// isVirama reports whether r has the canonical combining class of a virama.
//
//go:noinline
func isVirama(r rune) bool {
	return strings.ContainsRune(viramas, r)
}

const viramas = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a" +
	"\u1714\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua8c4\ua953\ua9c0\uaaf6\uabed"

// joinsBothWays reports whether the letters around a place are of scripts whose
// letters join.
func joinsBothWays(label []rune, at int) bool {
	joins := func(r rune) bool {
		return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko) && unicode.IsLetter(r)
	}
	before, after := at-1, at+1
	for before >= 0 && unicode.Is(unicode.Mn, label[before]) {
		before--
	}
	for after < len(label) && unicode.Is(unicode.Mn, label[after]) {
		after++
	}
	return before >= 0 && after < len(label) && joins(label[before]) && joins(label[after])
}

//go:noinline
func isRightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Samaritan, unicode.Mandaic) &&
		!unicode.Is(unicode.Mn, r) && !isEuropeanDigit(r) || isArabicDigit(r)
}

func isArabicDigit(r rune) bool { return r >= 0x0660 && r <= 0x0669 }

// isEuropeanDigit: 0 to 9, and the digits of Persian, count as the same.
func isEuropeanDigit(r rune) bool { return r >= '0' && r <= '9' || r >= 0x06f0 && r <= 0x06f9 }

// keepsDirection: the Bidi rule, RFC 5893, 2.
func keepsDirection(label []rune) bool {
	end := len(label)
	for end > 0 && unicode.Is(unicode.Mn, label[end-1]) {
		end--
	}
	if end == 0 {
		return false
	}
	first, last := label[0], label[end-1]
	if isEuropeanDigit(first) || isArabicDigit(first) || first == '-' {
		return false
	}
	european, arabic := false, false
	rightToLeft := isRightToLeft(first)
	for _, r := range label {
		european = european || isEuropeanDigit(r)
		arabic = arabic || isArabicDigit(r)
		isNeutral := isEuropeanDigit(r) || r == '-' || r == 0x200c || r == 0x200d || unicode.Is(unicode.Mn, r)
		if !isNeutral && isRightToLeft(r) != rightToLeft {
			return false
		}
	}
	if rightToLeft {
		return !(european && arabic) && (isRightToLeft(last) || isEuropeanDigit(last))
	}
	return last != '-'
}

// Punycode: RFC 3492.
const (
	base, tMin, tMax, skew, damp, firstBias = 36, 1, 26, 38, 700, 72
)

func adapt(delta, points int, first bool) int {
	if delta /= 2; first {
		delta = delta * 2 / damp
	}
	delta += delta / points
	k := 0
	for ; delta > (base-tMin)*tMax/2; k += base {
		delta /= base - tMin
	}
	return k + (base-tMin+1)*delta/(delta+skew)
}

// decodePunycode returns the characters of what follows xn--; nil if it is wrong.
func decodePunycode(text string) []rune {
	var out []rune
	if at := strings.LastIndexByte(text, '-'); at >= 0 {
		out, text = []rune(text[:at]), text[at+1:]
	}
	n, i, bias := 128, 0, firstBias
	for text != "" {
		start, weight := i, 1
		for k := base; ; k += base {
			if text == "" {
				return nil
			}
			digit := digitOf(text[0])
			text = text[1:]
			if digit < 0 || i > utf8.MaxRune*64 || weight > utf8.MaxRune*64 {
				return nil
			}
			i += digit * weight
			t := min(max(k-bias, tMin), tMax)
			if digit < t {
				break
			}
			weight *= base - t
		}
		points := len(out) + 1
		bias = adapt(i-start, points, start == 0)
		n += i / points
		i %= points
		if n > utf8.MaxRune || n >= 0xd800 && n <= 0xdfff {
			return nil
		}
		out = append(out, 0)
		copy(out[i+1:], out[i:])
		out[i] = rune(n)
		i++
	}
	return out
}

func digitOf(c byte) int {
	switch {
	case isLetter(c):
		return int(c | 0x20 - 'a')
	case isDigit(c):
		return int(c-'0') + 26
	}
	return -1
}

func encodePunycode(runes []rune) string {
	var out []byte
	for _, r := range runes {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	handled := basic
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(128), 0, firstBias
	for handled < len(runes) {
		next := rune(utf8.MaxRune)
		for _, r := range runes {
			if r >= n && r < next {
				next = r
			}
		}
		delta += int(next-n) * (handled + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tMin), tMax)
				if q < t {
					break
				}
				out = append(out, "abcdefghijklmnopqrstuvwxyz0123456789"[t+(q-t)%(base-t)])
				q = (q - t) / (base - t)
			}
			out = append(out, "abcdefghijklmnopqrstuvwxyz0123456789"[q])
			bias = adapt(delta, handled+1, handled == basic)
			delta = 0
			handled++
		}
		delta++
		n++
	}
	return string(out)
}
