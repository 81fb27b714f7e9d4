package msgpack

import (
	"slices"
	"strconv"
	"strings"
)

// A Fault says why Validate refused a value, and where in it.
type Fault struct {
	Path   string // "tags.2"; empty for the value itself
	Reason string // "is nested deeper than 100 levels"
}

func (f *Fault) Error() string {
	if f.Path == "" {
		return "the value " + f.Reason
	}
	return f.Path + " " + f.Reason
}

// TooDeep is the reason of a fault about maxDepth.
const TooDeep = "is nested too deep"

const (
	cut         = "ends in the middle of a value"
	badText     = "holds text that is not well-formed Unicode (a lone surrogate?)"
	badName     = "has a field name that is not a string"
	badDate     = "holds an invalid date"
	proto       = "__proto__"
	hasProto    = "has a field named " + proto
	extension   = "holds a MessagePack extension other than a timestamp"
	neverStarts = "holds the byte 0xc1, which is no MessagePack"
)

// Validate checks the first value in b and returns its length. It accepts
// what a document may hold: well-formed values, string keys (none of them
// "__proto__", which JavaScript objects cannot carry safely), UTF-8 strings,
// timestamps as the only extension, and containers at most maxDepth deep. The
// error is a *[Fault].
//
// Whatever b holds, the time it takes grows no faster than len(b).
func Validate(b []byte, maxDepth int) (int, error) {
	if n := measure(b, maxDepth); n > 0 {
		return n, nil
	}
	return validateSlowly(b, maxDepth)
}

// validateSlowly is Validate without its quick way: it alone decides what is
// refused, and can say why.
func validateSlowly(b []byte, maxDepth int) (int, error) {
	v := validator{b: b}
	if !v.value(maxDepth) {
		slices.Reverse(v.path)
		return 0, &Fault{Path: strings.Join(v.path, "."), Reason: v.reason}
	}
	return v.pos, nil
}

// A validator walks a value by recursion, and knows where it is when it fails.
type validator struct {
	b      []byte
	pos    int
	reason string
	path   []string // innermost first; built while a failure unwinds
}

func (v *validator) fail(reason string) bool {
	v.reason = reason
	return false
}

func (v *validator) within(component string) bool {
	v.path = append(v.path, component)
	return false
}

// value passes one value, in which containers may be nested depth deep.
func (v *validator) value(depth int) bool {
	rest := v.b[v.pos:]
	switch KindOf(rest) {
	case Array:
		n, ok := v.header(depth)
		for i := 0; ok && i < n; i++ {
			if !v.value(depth - 1) {
				return v.within(strconv.Itoa(i))
			}
		}
		return ok
	case Map:
		n, ok := v.header(depth)
		for ; ok && n > 0; n-- {
			key := v.b[v.pos:]
			if !v.key() {
				return false
			}
			if !v.value(depth - 1) {
				return v.within(string(Str(key)))
			}
		}
		return ok
	}
	n, reason := scalar(rest)
	v.pos += n
	v.reason = reason
	return reason == ""
}

// key passes the key of a pair.
func (v *validator) key() bool {
	rest := v.b[v.pos:]
	if len(rest) > 0 && kinds[rest[0]] != String {
		return v.fail(badName)
	}
	n, reason := scalar(rest)
	if reason == "" && string(Str(rest)) == proto {
		reason = hasProto
	}
	v.pos += n
	v.reason = reason
	return reason == ""
}

// header passes the header of a container and returns its count.
func (v *validator) header(depth int) (int, bool) {
	if depth <= 0 {
		return 0, v.fail(TooDeep)
	}
	n, size := checkedHeader(v.b[v.pos:])
	if size == 0 {
		return 0, v.fail(cut)
	}
	v.pos += size
	return n, true
}
