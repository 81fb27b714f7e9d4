package jsbridge

import "testing"

// BenchmarkCall: what a call costs before and after the engine's own work. The
// arguments are in the buffer already. In wasm, run it with
// GOOS=js GOARCH=wasm go test -bench Call ./jsbridge -exec …/go_js_wasm_exec.
func BenchmarkCall(b *testing.B) {
	c := newClient(b)
	c.must("insert", array{"people", false}, object{"_id": "ada", "name": "Ada", "age": 36})
	for _, call := range []struct {
		op        string
		arguments array
	}{
		{"more", nil}, // refused at once: the dispatch and an error
		{"get", array{"people", "ada"}},
		{"count", array{"people", nil, -1}},
		{"insert", array{"people", true}},
		{"update", array{"people", object{"$inc": object{"n": 1}}, array{"eq", "_id", "ada"}}},
		{"find", array{"people", "age > 20", nil, 0, -1, nil}},
	} {
		b.Run(call.op, func(b *testing.B) {
			number, arguments := numberOf(b, call.op), input(b, call.arguments)
			if call.op == "insert" {
				arguments = append(arguments, encode(b, object{"_id": "ada", "name": "Ada", "age": 36})...)
			}
			b.ReportAllocs()
			for b.Loop() {
				copy(c.bridge.Input(len(arguments)), arguments)
				c.bridge.Call(c.handle, number, len(arguments))
			}
		})
	}
}
