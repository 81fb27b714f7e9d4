package jsbridge

import (
	"math"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// maxArgDepth bounds how deep arguments nest. No engine can be told to accept a
// document of this depth, so documents always meet the engine's own limit.
const maxArgDepth = 1100

// args reads the arguments of one call in place: a MessagePack array, and for
// some ops documents after it. The first fault stays in err. After it, every
// argument reads as empty, so an op checks err once.
type args struct {
	op   *op
	next int    // number of the next argument
	rest []byte // the bytes that have not been read, all of them untrusted
	err  error
}

// start makes input the arguments of o.
func (a *args) start(o *op, input []byte) {
	a.op, a.next, a.rest, a.err = o, 0, nil, nil
	want := len(o.args)
	switch {
	case len(input) == 0 && want == 0:
	case len(input) == 0 || input[0] != 0x90|byte(want): // no op has 16 arguments, so the header is one byte
		a.fault("", "expected an array of "+strconv.Itoa(want)+" arguments")
	default:
		a.rest = input[1:]
	}
}

// fault notes that the argument of that name is wrong.
//
//go:noinline
func (a *args) fault(name, why string) {
	if a.err == nil {
		a.err = engine.Fail(engine.CodeInvalid, a.op.name, name, why)
	}
	a.rest = nil
}

// name returns the name of the argument that was read last.
func (a *args) name() string { return a.op.args[a.next-1] }

// value returns the next argument, or nil after a fault. Its bytes are checked to
// be well formed, and borrowed from the input.
func (a *args) value() []byte {
	a.next++
	if a.err != nil {
		return nil
	}
	n, err := msgpack.Validate(a.rest, maxArgDepth)
	if err != nil {
		a.fault(a.name(), err.Error())
		return nil
	}
	v := a.rest[:n:n]
	a.rest = a.rest[n:]
	return v
}

// text returns the next argument, which must be a string.
func (a *args) text() []byte {
	v := a.value()
	if a.err == nil && msgpack.KindOf(v) != msgpack.String {
		a.fault(a.name(), "expected a string")
		return nil
	}
	return msgpack.Str(v)
}

// bytes returns the content of the next argument, which must be bytes.
func (a *args) bytes() []byte {
	v := a.value()
	if a.err == nil && msgpack.KindOf(v) != msgpack.Bytes {
		a.fault(a.name(), "expected bytes")
		return nil
	}
	return msgpack.Bin(v)
}

// flag returns the next argument, which must be a boolean.
func (a *args) flag() bool {
	v := a.value()
	switch {
	case a.err != nil:
	case msgpack.KindOf(v) == msgpack.True:
		return true
	case msgpack.KindOf(v) != msgpack.False:
		a.fault(a.name(), "expected true or false")
	}
	return false
}

// number returns the next argument, which must be an integer from lowest to
// 2^31-1. JavaScript's encoders write some integers as floats.
func (a *args) number(lowest int) int {
	v := a.value()
	if a.err != nil {
		return 0
	}
	x := math.NaN()
	if msgpack.KindOf(v) == msgpack.Number {
		x = msgpack.Float(v)
	}
	if !(x >= float64(lowest) && x <= math.MaxInt32 && x == math.Trunc(x)) {
		a.fault(a.name(), "expected an integer from "+strconv.Itoa(lowest)+" to 2147483647")
		return 0
	}
	return int(x)
}

// list returns the elements of the next argument, which must be an array. If
// null is allowed, it returns nil for that.
func (a *args) list(orNil bool) [][]byte {
	v := a.value()
	if a.err != nil || orNil && msgpack.KindOf(v) == msgpack.Null {
		return nil
	}
	if msgpack.KindOf(v) != msgpack.Array {
		a.fault(a.name(), "expected an array")
		return nil
	}
	return msgpack.List(v)
}

// texts is list for an array of strings, which are copied.
func (a *args) texts(orNil bool) []string {
	var texts []string
	for _, v := range a.list(orNil) {
		if msgpack.KindOf(v) != msgpack.String {
			a.fault(a.name(), "expected an array of strings")
			return nil
		}
		texts = append(texts, string(msgpack.Str(v)))
	}
	return texts
}

// end returns the first fault, if any. Bytes after the last argument are a fault.
func (a *args) end() error {
	if a.err == nil && len(a.rest) > 0 {
		a.fault("", "there are bytes after the arguments")
	}
	return a.err
}
