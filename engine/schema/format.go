package schema

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// A format is a set of texts.
type format struct {
	name    string
	what    string // "an email address"
	accepts func(text []byte) bool
}

// formats are those of the standard. The functions are in format_*.go.
var formats = [...]format{
	{"date-time", "a date and time like 2024-05-17T10:30:00Z", isDateTime},
	{"date", "a date like 2024-05-17", isDate},
	{"time", "a time like 10:30:00Z", isTime},
	{"duration", "a duration like P3DT12H", isDuration},
	{"email", "an email address", isEmail},
	{"idn-email", "an email address", isIDNEmail},
	{"hostname", "a host name", isHostname},
	{"idn-hostname", "a host name", isIDNHostname},
	{"ipv4", "an IPv4 address", isIPv4},
	{"ipv6", "an IPv6 address", isIPv6},
	{"uri", "a URI", func(b []byte) bool { return isURI(string(b), true, false) }},
	{"uri-reference", "a URI reference", func(b []byte) bool { return isURI(string(b), false, false) }},
	{"iri", "an IRI", func(b []byte) bool { return isURI(string(b), true, true) }},
	{"iri-reference", "an IRI reference", func(b []byte) bool { return isURI(string(b), false, true) }},
	{"uri-template", "a URI template", isURITemplate},
	{"uuid", "a UUID", isUUID},
	{"json-pointer", "a JSON pointer", isJSONPointer},
	{"relative-json-pointer", "a relative JSON pointer", isRelativeJSONPointer},
	{"regex", "a regular expression", isPattern},
}

func formatNamed(name string) *format {
	for i := range formats {
		if formats[i].name == name {
			return &formats[i]
		}
	}
	return nil
}

// fits reports whether a value is of the format. A date need not be written to see
// that it is a date and time.
func (f *format) fits(v, text []byte) bool {
	if msgpack.KindOf(v) == msgpack.Date && f.name == "date-time" {
		seconds, _ := msgpack.Time(v)
		return seconds >= -62167219200 && seconds < 253402300800 // the years 0 to 9999
	}
	return f.accepts(text)
}

func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return true
}

// isJSONPointer: RFC 6901.
func isJSONPointer(text []byte) bool {
	if len(text) > 0 && text[0] != '/' {
		return false
	}
	for i, c := range text {
		if c == '~' && (i+1 == len(text) || text[i+1] != '0' && text[i+1] != '1') {
			return false
		}
	}
	return true
}

// isRelativeJSONPointer: a number without leading zeros, then # or a JSON pointer.
func isRelativeJSONPointer(text []byte) bool {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	if n == 0 || n > 1 && text[0] == '0' {
		return false
	}
	return string(text[n:]) == "#" || isJSONPointer(text[n:])
}
