package engine

// chunkBytes is what a chunk holds before the next one is begun. A document
// that is larger gets a chunk of its own.
const (
	chunkBits     = 20
	chunkBytes    = 1 << chunkBits
	maxChunks     = 1 << (32 - chunkBits)
	maxChunkBytes = 1 << 30
)

// A ref is where a document starts: its chunk's number above chunkBits bits
// of offset. Four bytes instead of a slice's header keep a document's cost low
// and give the garbage collector nothing to follow.
type ref uint32

// An arena keeps documents as bytes, one after the other. Bytes in it never
// change and are never freed one by one, so slices of it may be held for as
// long as their owner likes; a collection that holds too much garbage moves
// to a new arena.
type arena struct {
	chunks [][]byte
	soon   int // bytes that are about to come, as far as is known
}

// put copies the parts of one document to the end of the arena. It returns
// false if the arena is full, at 4096 chunks.
func (a *arena) put(parts ...[]byte) (ref, bool) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	last := len(a.chunks) - 1
	if last < 0 || len(a.chunks[last])+size > chunkBytes {
		if len(a.chunks) == maxChunks {
			return 0, false
		}
		capacity := chunkBytes
		if last < 0 {
			capacity = min(max(4<<10, a.soon), chunkBytes) // most collections are small: the first chunk grows as it fills
		}
		a.chunks = append(a.chunks, make([]byte, 0, max(size, capacity)))
		last++
	}
	chunk := a.chunks[last]
	at := ref(last<<chunkBits | len(chunk))
	for _, p := range parts {
		chunk = append(chunk, p...)
	}
	a.chunks[last] = chunk
	return at, true
}

// get returns the size bytes that start at r, borrowed.
func (a *arena) get(r ref, size int) []byte {
	off := int(r & (chunkBytes - 1))
	return a.chunks[r>>chunkBits][off : off+size : off+size]
}
