package msgpack
import ("testing";"strconv")
func batchOf(doc []byte) []byte { var b []byte; for range 1000 { b = append(b, doc...) }; return append(b, make([]byte,100)...) }
func benchBatch(b *testing.B, doc []byte) {
	x := batchOf(doc)
	for b.Loop() {
		for p := 0; p < len(x)-100; { n := measure(x[p:], 100); if n == 0 { b.Fatal("no") }; p += n }
	}
}
func fields(n int, v func(b []byte) []byte) []byte {
	b := AppendMap(nil, n)
	for i := range n { b = v(AppendString(b, "field"+strconv.Itoa(i))) }
	return b
}
func i1(b []byte) []byte { return AppendInt(b, 5) }
func s1(b []byte) []byte { return AppendString(b, "hello world, you") }
func arr(b []byte) []byte { return i1(i1(AppendArray(b, 2))) }
func BenchmarkYbatch0(b *testing.B) { benchBatch(b, fields(0, i1)) }
func BenchmarkYbatch1(b *testing.B) { benchBatch(b, fields(1, i1)) }
func BenchmarkYbatch8int(b *testing.B) { benchBatch(b, fields(8, i1)) }
func BenchmarkYbatch15int(b *testing.B) { benchBatch(b, fields(15, i1)) }
func BenchmarkYbatch8str(b *testing.B) { benchBatch(b, fields(8, s1)) }
func BenchmarkYbatch8arr(b *testing.B) { benchBatch(b, fields(8, arr)) }
func BenchmarkYbatchNoop(b *testing.B) { x := batchOf(fields(1,i1)); 	for b.Loop() { for range 1000 { KindOf2(x) } } }
//go:noinline
func KindOf2(x []byte) Kind { return KindOf(x) }
