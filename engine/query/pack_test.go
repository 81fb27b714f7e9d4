package query_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// pack returns a JSON text as MessagePack, fields in their order. {"$date": ms}
// and {"$bytes": base64} stand for what JSON has not, and a number with a dot
// or an exponent is a float.
func pack(t testing.TB, text string) []byte {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	packed := packNext(t, nil, d)
	if d.More() {
		t.Fatalf("more than one value in %s", text)
	}
	return packed
}

func packNext(t testing.TB, b []byte, d *json.Decoder) []byte {
	t.Helper()
	token, err := d.Token()
	if err != nil {
		t.Fatalf("test JSON: %v", err)
	}
	switch v := token.(type) {
	case nil:
		return msgpack.AppendNil(b)
	case bool:
		return msgpack.AppendBool(b, v)
	case string:
		return msgpack.AppendString(b, v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return msgpack.AppendInt(b, n)
		}
		x, _ := v.Float64()
		return msgpack.AppendFloat(b, x)
	}
	var body []byte
	count := 0
	for ; d.More(); count++ {
		body = packNext(t, body, d)
	}
	if end, _ := d.Token(); end == json.Delim(']') {
		return append(msgpack.AppendArray(b, count), body...)
	}
	if count == 2 && bytes.HasPrefix(body, msgpack.AppendString(nil, "$date")) {
		millis, _ := msgpack.Int(body[6:])
		return msgpack.AppendDate(b, millis)
	}
	if count == 2 && bytes.HasPrefix(body, msgpack.AppendString(nil, "$bytes")) {
		content, err := base64.StdEncoding.DecodeString(string(msgpack.Str(body[7:])))
		if err != nil {
			t.Fatalf("test JSON: %v", err)
		}
		return msgpack.AppendBin(b, content)
	}
	return append(msgpack.AppendMap(b, count/2), body...)
}
