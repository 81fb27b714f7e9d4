package engine

// An idTable finds the slot of an id: open addressing with linear probing. A word
// is 32 bits of hash above slot+1; 0 is empty. The table holds no ids: the
// documents do, and the owner compares. A Go map of strings would take five times
// the memory and give the garbage collector a pointer for each id.
type idTable struct {
	words []uint64
	used  int
}

// tableSize returns how many words a table for so many slots needs.
func tableSize(slots int) int {
	size := 16
	for size*3 < (slots+1)*4 {
		size *= 2
	}
	return size
}

// find returns the slot that has this hash and for which same holds.
func (t *idTable) find(hash uint32, same func(slot uint32) bool) (slot uint32, ok bool) {
	if len(t.words) == 0 {
		return 0, false
	}
	mask := uint32(len(t.words) - 1)
	for i := hash & mask; t.words[i] != 0; i = (i + 1) & mask {
		if w := t.words[i]; uint32(w>>32) == hash && same(uint32(w)-1) {
			return uint32(w) - 1, true
		}
	}
	return 0, false
}

// add adds slot under hash. The caller knows that the id is not there. It returns how
// many had the same hash.
func (t *idTable) add(hash, slot uint32) (alike int) {
	if (t.used+1)*4 > len(t.words)*3 {
		t.resize(max(16, len(t.words)*2))
	}
	t.used++
	return t.place(uint64(hash)<<32 | uint64(slot+1))
}

func (t *idTable) place(word uint64) (alike int) {
	mask := uint32(len(t.words) - 1)
	i := uint32(word>>32) & mask
	for t.words[i] != 0 {
		if t.words[i]>>32 == word>>32 {
			alike++
		}
		i = (i + 1) & mask
	}
	t.words[i] = word
	return alike
}

// reserve makes room for so many more slots.
func (t *idTable) reserve(more int) {
	if size := tableSize(t.used + more); size > len(t.words) {
		t.resize(size)
	}
}

func (t *idTable) resize(size int) {
	old := t.words
	t.words = make([]uint64, size)
	for _, w := range old {
		if w != 0 {
			t.place(w)
		}
	}
}

// remove removes slot. The words after it move up, so that a search never steps
// over removed ids.
func (t *idTable) remove(hash, slot uint32) {
	mask := uint32(len(t.words) - 1)
	i := hash & mask
	for uint32(t.words[i]) != slot+1 {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; t.words[j] != 0; j = (j + 1) & mask {
		home := uint32(t.words[j]>>32) & mask
		if (j-home)&mask >= (j-i)&mask { // a search for it passes the hole
			t.words[i] = t.words[j]
			i = j
		}
	}
	t.words[i] = 0
	t.used--
}
