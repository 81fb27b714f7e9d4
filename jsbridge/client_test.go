package jsbridge

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf8"

	reference "github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A client calls a Bridge as JavaScript does: through the buffers, with an encoder
// of another package. At the end of its test it checks the engine.
type client struct {
	t      testing.TB
	bridge *Bridge
	handle uint32
}

func newClient(t testing.TB) *client {
	t.Helper()
	c := &client{t: t, bridge: New()}
	c.handle = c.open()
	t.Cleanup(c.check)
	return c
}

func (c *client) open() uint32 {
	c.t.Helper()
	session, err := storage.Open(nil, storage.SessionOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	handle, err := c.bridge.Open(session)
	if err != nil {
		c.t.Fatal(err)
	}
	return handle
}

func (c *client) db() *engine.DB {
	c.t.Helper()
	session, err := c.bridge.Session("test", c.handle)
	if err != nil {
		c.t.Fatal(err)
	}
	return session.DB()
}

func (c *client) check() {
	c.t.Helper()
	if err := c.db().Check(); err != nil {
		c.t.Errorf("after the test: %v", err)
	}
}

// raw makes one call with these input bytes.
func (c *client) raw(number uint32, input []byte) (answer []byte, err *failure) {
	c.t.Helper()
	buffer := c.bridge.Input(len(input))
	if buffer == nil {
		c.t.Fatalf("no room for %d bytes of input", len(input))
	}
	copy(buffer, input)
	n := c.bridge.Call(c.handle, number, len(input))
	if n >= 0 {
		return c.bridge.Output()[:n], nil
	}
	wrong := func() {
		c.t.Fatalf("op %d: the error %x is not [code, message], nor with faults", number, c.bridge.Output()[:^n])
	}
	var parts []any
	if err := reference.Unmarshal(c.bridge.Output()[:^n], &parts); err != nil || len(parts) != 2 && len(parts) != 3 {
		wrong()
	}
	f := &failure{code: engine.Code(parts[0].(string)), message: parts[1].(string)}
	if !utf8.ValidString(f.message) {
		c.t.Fatalf("op %d: the message %q is not UTF-8", number, f.message)
	}
	if (len(parts) == 3) != (f.code == engine.CodeSchema) {
		wrong()
	}
	if len(parts) == 3 {
		for _, fault := range parts[2].([]any) {
			texts := fault.([]any)
			f.faults = append(f.faults, [3]string{texts[0].(string), texts[1].(string), texts[2].(string)})
		}
	}
	return nil, f
}

// A failure is an error as JavaScript reads it.
type failure struct {
	code    engine.Code
	message string
	faults  [][3]string // of what breaks a schema: path, keyword and message
}

// call makes one call with these arguments and documents.
func (c *client) call(name string, arguments []any, docs ...any) ([]byte, *failure) {
	c.t.Helper()
	return c.raw(numberOf(c.t, name), input(c.t, arguments, docs...))
}

// must is call, and fails the test if the call fails.
func (c *client) must(name string, arguments []any, docs ...any) []byte {
	c.t.Helper()
	answer, failure := c.call(name, arguments, docs...)
	if failure != nil {
		c.t.Fatalf("%s %v: %s", name, arguments, failure.message)
	}
	return answer
}

// found parses the result of find or more.
func (c *client) found(answer []byte) (docs []any, left int) {
	c.t.Helper()
	count := binary.LittleEndian.Uint32(answer)
	left = int(binary.LittleEndian.Uint32(answer[4:]))
	decoder := decoderOf(answer[8:])
	for range count {
		docs = append(docs, decodeNext(c.t, decoder))
	}
	if _, err := decoder.DecodeInterface(); err == nil {
		c.t.Errorf("there is more than the %d documents announced", count)
	}
	return docs, left
}

func numberOf(t testing.TB, name string) uint32 {
	t.Helper()
	for i := range ops {
		if ops[i].name == name {
			return uint32(i + 1)
		}
	}
	t.Fatalf("there is no op %s", name)
	return 0
}

func input(t testing.TB, arguments []any, docs ...any) []byte {
	t.Helper()
	if arguments == nil {
		arguments = []any{}
	}
	encoded := encode(t, arguments)
	for _, doc := range docs {
		encoded = append(encoded, encode(t, doc)...)
	}
	return encoded
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := reference.NewEncoder(&b)
	encoder.UseCompactInts(true)
	encoder.SetSortMapKeys(true)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decoderOf(b []byte) *reference.Decoder {
	decoder := reference.NewDecoder(bytes.NewReader(b))
	decoder.UseLooseInterfaceDecoding(true) // int64 whatever the width
	return decoder
}

func decodeNext(t testing.TB, decoder *reference.Decoder) any {
	t.Helper()
	v, err := decoder.DecodeInterfaceLoose()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// decode returns the value of a result.
func decode(t testing.TB, answer []byte) any {
	t.Helper()
	return decodeNext(t, decoderOf(answer))
}

type object = map[string]any
type array = []any
