package engine

// chunkBytes is how much a chunk holds before the next one is begun. A larger
// document gets a chunk of its own.
const (
	chunkBits     = 20
	chunkBytes    = 1 << chunkBits
	maxChunks     = 1 << (32 - chunkBits)
	maxChunkBytes = 1 << 30
)

// A ref is where a document starts: the number of its chunk above chunkBits bits
// of offset. It takes 4 bytes where the header of a slice takes 24, and gives the
// garbage collector nothing to follow.
type ref uint32

// An arena keeps documents as bytes, one after the other. Bytes in it never
// change and are never freed one by one, so a slice of it stays valid for as long
// as it is held. A collection with too much garbage moves to a new arena.
type arena struct {
	chunks [][]byte
	spare  []byte // of the slab that the last chunk is a part of: the next chunks
	soon   int    // bytes that will be put soon, as far as is known
}

// put copies the parts of one document to the end of the arena. It returns false
// if the arena is full, which it is with 4096 chunks.
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
		a.chunks = append(a.chunks, a.chunk(max(size, capacity)))
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

// maxSlab is how many chunks are allocated at once at most.
const maxSlab = 8

// chunk returns an empty chunk.
//
// In a large arena, an eighth of it is allocated at once. In JavaScript, the memory of
// the engine then grows in steps that are as large: V8 counts all of it again as garbage
// to come each time that it grows, and collected twice for every 4 MiB.
func (a *arena) chunk(capacity int) []byte {
	slab := min(len(a.chunks)/8, maxSlab)
	if capacity != chunkBytes || len(a.spare) == 0 && slab < 2 {
		return make([]byte, 0, capacity)
	}
	if len(a.spare) == 0 {
		a.spare = make([]byte, slab*chunkBytes)
	}
	chunk := a.spare[:0:chunkBytes]
	a.spare = a.spare[chunkBytes:]
	return chunk
}

// get returns the size bytes that start at r, borrowed.
func (a *arena) get(r ref, size int) []byte {
	off := int(r & (chunkBytes - 1))
	return a.chunks[r>>chunkBits][off : off+size : off+size]
}
