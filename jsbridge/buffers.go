package jsbridge

const (
	// smallBuffer is what each buffer starts with: most calls fit.
	smallBuffer = 64 << 10
	// keptBuffer is the largest buffer kept for the next call. WebAssembly
	// memory is never given back to the system, but Go can use a larger one for
	// documents.
	keptBuffer = 4 << 20
	// maxInput bounds the input of one call: running out of memory would end
	// the instance, and every database in it.
	maxInput = 256 << 20
	// pieceBytes is about how much one find or more answers.
	pieceBytes = 1 << 20
)

// buffers is the memory that a call's arguments and its answer pass through.
// JavaScript writes and reads it directly, which Go's collector allows: it
// moves no objects, and these are held here.
type buffers struct {
	in, out []byte // never of capacity 0, so they have addresses
}

// newBuffer returns an empty buffer with room for at least n bytes.
func newBuffer(n int) []byte { return make([]byte, 0, max(n, smallBuffer)) }

// input returns the in-buffer, with n bytes of room for arguments; nil if n is
// over maxInput. What was in it is gone.
func (b *buffers) input(n int) []byte {
	if n > maxInput {
		return nil
	}
	if n > cap(b.in) {
		switch {
		case n <= pieceBytes: // as nearly all are: JavaScript cuts long lists into such pieces
			n = min(2*n, pieceBytes)
		case n <= keptBuffer:
			n = min(2*n, keptBuffer)
		}
		b.in = newBuffer(n)
	}
	return b.in[:cap(b.in)]
}

// releaseInput gives back an in-buffer that grew beyond what is kept, after a call
// has read it.
func (b *buffers) releaseInput() {
	if cap(b.in) > keptBuffer {
		b.in = newBuffer(0)
	}
}

// output returns the empty out-buffer for the next answer. One that grew
// beyond what is kept is given back here, because JavaScript has read it only
// by now.
func (b *buffers) output() []byte {
	if cap(b.out) > keptBuffer {
		b.out = newBuffer(0)
	}
	return b.out[:0]
}
