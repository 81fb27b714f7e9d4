package schema

import "strings"

// A uri is the five parts of RFC 3986, as they are written.
type uri struct {
	scheme, authority, path, query, fragment string
	hasAuthority, hasQuery, hasFragment      bool
}

// splitURI cuts text into its parts. It checks nothing: every text has parts.
func splitURI(text string) (u uri) {
	text, u.fragment, u.hasFragment = cut(text, "#")
	text, u.query, u.hasQuery = cut(text, "?")
	if at := strings.IndexAny(text, ":/"); at > 0 && text[at] == ':' && isScheme(text[:at]) {
		u.scheme, text = text[:at], text[at+1:]
	}
	if rest, ok := strings.CutPrefix(text, "//"); ok {
		u.hasAuthority = true
		at := strings.IndexByte(rest, '/')
		if at < 0 {
			at = len(rest)
		}
		u.authority, text = rest[:at], rest[at:]
	}
	u.path = text
	return u
}

//go:noinline
func isScheme(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return text != ""
}

// String is the inverse of splitURI, without the fragment.
//
//go:noinline
func (u *uri) String() string {
	text := u.path
	if u.hasAuthority {
		text = "//" + u.authority + text
	}
	if u.scheme != "" {
		text = u.scheme + ":" + text
	}
	if u.hasQuery {
		text += "?" + u.query
	}
	return text
}

// resolve returns what a reference means where base is the address: the address
// without the fragment, and the fragment. See RFC 3986, 5.2.
func resolve(base, reference string) (address, fragment string) {
	r := splitURI(reference)
	fragment = r.fragment
	if r.scheme != "" {
		r.path = withoutDots(r.path)
		return r.String(), fragment
	}
	b := splitURI(base)
	r.scheme = b.scheme
	switch {
	case r.hasAuthority:
		r.path = withoutDots(r.path)
	case r.path == "":
		r.path, r.authority, r.hasAuthority = b.path, b.authority, b.hasAuthority
		if !r.hasQuery {
			r.query, r.hasQuery = b.query, b.hasQuery
		}
	default:
		r.authority, r.hasAuthority = b.authority, b.hasAuthority
		if !strings.HasPrefix(r.path, "/") {
			if b.hasAuthority && b.path == "" {
				r.path = "/" + r.path
			} else {
				r.path = b.path[:strings.LastIndexByte(b.path, '/')+1] + r.path
			}
		}
		r.path = withoutDots(r.path)
	}
	return r.String(), fragment
}

// withoutDots removes the segments . and .. of a path; see RFC 3986, 5.2.4.
func withoutDots(path string) string {
	if !strings.Contains(path, ".") {
		return path
	}
	segments := strings.Split(path, "/")
	kept := segments[:0]
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "..":
			if n := len(kept); n > 1 || n == 1 && kept[0] != "" {
				kept = kept[:n-1]
			}
		case s != ".":
			kept = append(kept, s)
		}
		if last && (s == "." || s == "..") {
			kept = append(kept, "")
		}
	}
	return strings.Join(kept, "/")
}

// unescaped replaces %XX by the byte; false if a % is followed by something else.
//
//go:noinline
func unescaped(text string) (string, bool) {
	if !strings.Contains(text, "%") {
		return text, true
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b = append(b, text[i])
			continue
		}
		if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
			return "", false
		}
		b = append(b, hexValue(text[i+1])<<4|hexValue(text[i+2]))
		i += 2
	}
	return string(b), true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// hexValue returns the value of a digit that isHex accepts.
func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
