package schema

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

func isEmail(text []byte) bool    { return isUsualAddress(text) || isAddress(text, false) }
func isIDNEmail(text []byte) bool { return isAddress(text, true) }

// What a byte is for isUsualAddress.
const (
	otherByte = iota
	alnumByte
	signByte // in an atom
	hyphenByte
	dotByte
	atByte
	byteKinds
)

// Where isUsualAddress is.
const (
	lost = iota * byteKinds // isAddress has to look
	atomStart
	inAtom
	labelStart
	inLabel
	afterHyphen
	_
)

var addressBytes = func() (t [256]uint8) {
	for c := range t {
		switch c := byte(c); {
		case isLetter(c), isDigit(c):
			t[c] = alnumByte
		case c == '-':
			t[c] = hyphenByte
		case c == '.':
			t[c] = dotByte
		case c == '@':
			t[c] = atByte
		case strings.IndexByte("!#$%&'*+/=?^_`{|}~", c) >= 0:
			t[c] = signByte
		}
	}
	return t
}()

// addressMoves has room for each step and kind of byte, and as much more as spares a look
// whether it has.
var addressMoves = [64]uint8{
	atomStart + alnumByte: inAtom, atomStart + signByte: inAtom, atomStart + hyphenByte: inAtom,
	inAtom + alnumByte: inAtom, inAtom + signByte: inAtom, inAtom + hyphenByte: inAtom, inAtom + dotByte: atomStart, inAtom + atByte: labelStart,
	labelStart + alnumByte: inLabel,
	inLabel + alnumByte:    inLabel, inLabel + hyphenByte: afterHyphen, inLabel + dotByte: labelStart,
	afterHyphen + alnumByte: inLabel,
}

// isUsualAddress says yes to most addresses, with one look in a table for each byte. It
// knows neither quotes nor addresses of hosts nor xn--, and none that may be too long in
// one of its parts.
func isUsualAddress(text []byte) bool {
	if len(text) > 64 {
		return false
	}
	at := uint8(atomStart)
	for _, c := range text {
		at = addressMoves[(at+addressBytes[c])&63]
	}
	return at == inLabel
}

// isAddress: the Mailbox of RFC 5321, and of RFC 6531 if unicode is allowed.
func isAddress(text []byte, unicode bool) bool {
	at := bytes.LastIndexByte(text, '@')
	if at < 1 || at > 64 || at == len(text)-1 {
		return false
	}
	local, domain := text[:at], text[at+1:]
	if local[0] == '"' {
		if !isQuoted(local, unicode) {
			return false
		}
	} else if !isDotted(local, unicode) {
		return false
	}
	if domain[0] == '[' {
		if len(domain) < 2 || domain[len(domain)-1] != ']' {
			return false
		}
		literal := domain[1 : len(domain)-1]
		if rest, ok := bytes.CutPrefix(literal, []byte("IPv6:")); ok {
			return isIPv6(rest)
		}
		return isIPv4(literal)
	}
	if unicode {
		return isLooseIDN(domain)
	}
	return isHostname(domain)
}

// isQuoted checks a quoted local part: "…", with \ before what would end it.
func isQuoted(text []byte, unicode bool) bool {
	if len(text) < 2 || text[len(text)-1] != '"' {
		return false
	}
	text = text[1 : len(text)-1]
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' {
			i++
			if i == len(text) {
				return false
			}
			c = 'a'
			if text[i] < ' ' || text[i] == 0x7f {
				return false
			}
		}
		if c < ' ' || c == '"' || c == 0x7f || c >= utf8.RuneSelf && !unicode {
			return false
		}
	}
	return true
}

// isDotted checks atoms with a dot between each two.
func isDotted(text []byte, unicode bool) bool {
	last := byte('.')
	for _, c := range text {
		switch {
		case c == '.':
			if last == '.' {
				return false
			}
		case isLetter(c), isDigit(c), strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0, c >= utf8.RuneSelf && unicode:
		default:
			return false
		}
		last = c
	}
	return last != '.'
}

// isLooseIDN checks the domain of an email address, which need not be normalized
// as in idn-hostname.
func isLooseIDN(text []byte) bool {
	rest, more := string(text), true
	for more {
		var label string
		label, rest, more = cut(rest, ".")
		if len(label) == 0 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !isLetter(c) && !isDigit(c) && c != '-' && c < utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}

// isHostname: RFC 1123; of labels that begin with xn--, also RFC 5891.
func isHostname(text []byte) bool {
	if len(text) == 0 || len(text) > 253 {
		return false
	}
	start := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '.' {
			if c := text[i]; !isLetter(c) && !isDigit(c) && c != '-' {
				return false
			}
			continue
		}
		label := text[start:i]
		start = i + 1
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if isALabel(label) && !isPunycode(label) {
			return false
		}
	}
	return true
}

func isIPv4(text []byte) bool {
	dots, n, digits := 0, 0, 0
	for _, c := range text {
		switch {
		case c == '.':
			if digits == 0 {
				return false
			}
			dots, n, digits = dots+1, 0, 0
		case isDigit(c):
			if digits > 0 && n == 0 {
				return false // a leading zero
			}
			n, digits = n*10+int(c-'0'), digits+1
			if n > 255 {
				return false
			}
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}

// isIPv6: RFC 4291, 2.2.
func isIPv6(text []byte) bool {
	groups, gap := 0, false
	if bytes.HasPrefix(text, []byte("::")) {
		gap, text = true, text[2:]
		if len(text) == 0 {
			return true
		}
	}
	for {
		n := 0
		for n < len(text) && n < 5 && isHex(text[n]) {
			n++
		}
		if n < len(text) && text[n] == '.' {
			groups += 2
			return isIPv4(text) && (groups == 8 || gap && groups < 8)
		}
		if n == 0 || n > 4 {
			return false
		}
		groups, text = groups+1, text[n:]
		if len(text) == 0 {
			return groups == 8 || gap && groups < 8
		}
		if text[0] != ':' || len(text) == 1 || groups == 8 {
			return false
		}
		text = text[1:]
		if text[0] == ':' {
			if gap {
				return false
			}
			gap, text = true, text[1:]
			if len(text) == 0 {
				return groups < 8
			}
		}
	}
}

// isURI: RFC 3986, or RFC 3987 if unicode is allowed.
func isURI(text string, absolute, unicode bool) bool {
	u := splitURI(text)
	switch {
	case absolute && u.scheme == "":
		return false
	case u.scheme == "" && !u.hasAuthority:
		// What is before a colon would be the scheme.
		if first, _, _ := cut(u.path, "/"); strings.Contains(first, ":") {
			return false
		}
	}
	if u.hasAuthority && !isAuthority(u.authority, unicode) {
		return false
	}
	return hasOnly(u.path, "/:@", unicode, false) && hasOnly(u.query, "/:@?", unicode, true) && hasOnly(u.fragment, "/:@?", unicode, false)
}

func isAuthority(text string, unicode bool) bool {
	host := text
	if user, rest, ok := cut(text, "@"); ok {
		if !hasOnly(user, ":", unicode, false) {
			return false
		}
		host = rest
	}
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 || !isIPLiteral(host[1:end]) {
			return false
		}
		host = host[end+1:]
		return host == "" || host[0] == ':' && isPort(host[1:])
	}
	host, port, _ := cut(host, ":")
	return hasOnly(host, "", unicode, false) && isPort(port)
}

//go:noinline
func isPort(text string) bool { return strings.Trim(text, "0123456789") == "" }

func isIPLiteral(text string) bool {
	if text == "" || text[0]|0x20 != 'v' {
		return isIPv6([]byte(text))
	}
	version, address, ok := cut(text[1:], ".")
	return ok && version != "" && strings.Trim(version, "0123456789abcdefABCDEF") == "" &&
		address != "" && !strings.Contains(address, "%") && hasOnly(address, ":", false, false)
}

// hasOnly reports whether text has only characters that every part of a URI may have,
// and those in also.
func hasOnly(text, also string, unicode, private bool) bool {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case isLetter(c), isDigit(c), strings.IndexByte("-._~!$&'()*+,;=", c) >= 0, strings.IndexByte(also, c) >= 0:
		case c == '%':
			if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
				return false
			}
			i += 2
		case c >= utf8.RuneSelf && unicode:
			r, size := utf8.DecodeRuneInString(text[i:])
			if !isUCS(r) && !(private && isPrivate(r)) {
				return false
			}
			i += size - 1
		default:
			return false
		}
	}
	return true
}

// isUCS: ucschar of RFC 3987.
//
//go:noinline
func isUCS(r rune) bool {
	switch {
	case r < 0x10000:
		return r >= 0xa0 && r <= 0xd7ff || r >= 0xf900 && r <= 0xfdcf || r >= 0xfdf0 && r <= 0xffef
	case r < 0xe0000:
		return r&0xffff <= 0xfffd
	}
	return r >= 0xe1000 && r <= 0xefffd
}

// isPrivate: iprivate of RFC 3987.
//
//go:noinline
func isPrivate(r rune) bool {
	return r >= 0xe000 && r <= 0xf8ff || r >= 0xf0000 && r <= 0x10fffd && r&0xffff <= 0xfffd
}

// isURITemplate: RFC 6570.
func isURITemplate(text []byte) bool {
	s := string(text)
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 || !isExpression(s[i+1:i+end]) {
				return false
			}
			i += end + 1
			continue
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if !isUCS(r) && !isPrivate(r) {
				return false
			}
			i += size
			continue
		case c <= ' ', c == 0x7f, strings.IndexByte("\"<>\\^`|}", c) >= 0:
			return false
		}
		i++
	}
	return true
}

func isExpression(text string) bool {
	if text != "" && strings.IndexByte("+#./;?&=,!@|", text[0]) >= 0 {
		text = text[1:]
	}
	for more := true; more; {
		var variable string
		variable, text, more = cut(text, ",")
		variable = strings.TrimSuffix(variable, "*")
		if name, length, ok := cut(variable, ":"); ok {
			if length == "" || len(length) > 4 || length[0] == '0' || strings.Trim(length, "0123456789") != "" {
				return false
			}
			variable = name
		}
		for inside := true; inside; {
			var part string
			if part, variable, inside = cut(variable, "."); part == "" {
				return false
			}
			for i := 0; i < len(part); i++ {
				switch c := part[i]; {
				case isLetter(c), isDigit(c), c == '_':
				case c == '%' && i+2 < len(part) && isHex(part[i+1]) && isHex(part[i+2]):
					i += 2
				default:
					return false
				}
			}
		}
	}
	return true
}
