package jsbridge

const (
	// smallBuffer is what each buffer starts with: most calls fit.
	smallBuffer = 64 << 10
	// keptBuffer is the largest buffer that is kept for the next call. WebAssembly
	// never returns memory to the system, but Go can reuse that of a larger buffer
	// for documents.
	keptBuffer = 4 << 20
	// maxInput bounds the arguments of one call: without memory the instance would
	// end, with every database in it.
	maxInput = 256 << 20
	// pieceBytes is about how many bytes one find or more returns.
	pieceBytes = 1 << 20
)

// buffers is the memory through which arguments and results pass. JavaScript
// writes and reads it directly. Go's collector allows this: it moves no objects,
// and does not free these, which are referred to here.
type buffers struct {
	in, out []byte // never of capacity 0, so they have addresses
}

// newBuffer returns an empty buffer with room for at least n bytes.
func newBuffer(n int) []byte { return make([]byte, 0, max(n, smallBuffer)) }

// input returns the in-buffer, with room for n bytes of arguments; nil if n is
// over maxInput. Its previous content is lost.
func (b *buffers) input(n int) []byte {
	if n > maxInput {
		return nil
	}
	if n > cap(b.in) {
		switch {
		case n <= pieceBytes: // nearly always: JavaScript splits long lists into such pieces
			n = min(2*n, pieceBytes)
		case n <= keptBuffer:
			n = min(2*n, keptBuffer)
		}
		b.in = newBuffer(n)
	}
	return b.in[:cap(b.in)]
}

// releaseInput frees an in-buffer that is larger than keptBuffer, after a call has
// read it.
func (b *buffers) releaseInput() {
	if cap(b.in) > keptBuffer {
		b.in = newBuffer(0)
	}
}

// output returns the empty out-buffer for the next result. A buffer that is larger
// than keptBuffer is freed here, when JavaScript has read it.
func (b *buffers) output() []byte {
	if cap(b.out) > keptBuffer {
		b.out = newBuffer(0)
	}
	return b.out[:0]
}
