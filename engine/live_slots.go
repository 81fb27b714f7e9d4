package engine

import "slices"

// liveSlots are the slots that a live find keeps, in its order. Each takes 3 bytes
// as long as all are below 1<<24, and 4 after that.
type liveSlots struct {
	bytes []byte
	wide  bool // 4 bytes
}

// maxNarrow is the first slot that does not fit into 3 bytes.
const maxNarrow = 1 << 24

func newLiveSlots(slots []uint32) liveSlots {
	var l liveSlots
	l.wide = len(slots) > 0 && slices.Max(slots) >= maxNarrow
	l.bytes = make([]byte, len(slots)*l.width())
	for i, slot := range slots {
		l.put(i, slot)
	}
	return l
}

func (l *liveSlots) width() int {
	if l.wide {
		return 4
	}
	return 3
}

func (l *liveSlots) len() int { return len(l.bytes) / l.width() }

// keeps returns how many bytes they take.
func (l *liveSlots) keeps() int { return cap(l.bytes) }

func (l *liveSlots) at(i int) uint32 {
	if l.wide {
		b := l.bytes[4*i : 4*i+4]
		return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	}
	b := l.bytes[3*i : 3*i+3]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
}

// set changes the slot at i.
func (l *liveSlots) set(i int, slot uint32) {
	l.makeRoom(slot)
	l.put(i, slot)
}

// put is set for a slot that fits.
func (l *liveSlots) put(i int, slot uint32) {
	w := l.width()
	b := l.bytes[w*i : w*i+w]
	b[0], b[1], b[2] = byte(slot), byte(slot>>8), byte(slot>>16)
	if l.wide {
		b[3] = byte(slot >> 24)
	}
}

// makeRoom makes all slots wide if one that comes needs that.
func (l *liveSlots) makeRoom(slot uint32) {
	if !l.wide && slot >= maxNarrow {
		*l = newLiveSlots(append(l.all(), slot))
		l.cut(l.len() - 1)
	}
}

func (l *liveSlots) insert(i int, slot uint32) {
	l.makeRoom(slot)
	w, known := l.width(), len(l.bytes)
	if known+w > cap(l.bytes) { // append would make it larger by a quarter
		l.bytes = append(make([]byte, 0, known+known/64+8*w), l.bytes...)
	}
	l.bytes = l.bytes[:known+w]
	copy(l.bytes[w*(i+1):], l.bytes[w*i:])
	l.put(i, slot)
}

func (l *liveSlots) remove(i int) {
	w := l.width()
	l.bytes = append(l.bytes[:w*i], l.bytes[w*(i+1):]...)
}

// move takes the slot at i out, and puts it in at to.
func (l *liveSlots) move(i, to int) {
	w, slot := l.width(), l.at(i)
	if i < to {
		copy(l.bytes[w*i:w*to], l.bytes[w*(i+1):w*(to+1)])
	} else {
		copy(l.bytes[w*(to+1):w*(i+1)], l.bytes[w*to:w*i])
	}
	l.put(to, slot)
}

// cut keeps the first n.
func (l *liveSlots) cut(n int) { l.bytes = l.bytes[:n*l.width()] }

// clip gives back the memory that they do not need.
func (l *liveSlots) clip() { l.bytes = slices.Clip(l.bytes) }

// all returns a copy.
func (l *liveSlots) all() []uint32 {
	slots := make([]uint32, l.len(), l.len()+1)
	for i := range slots {
		slots[i] = l.at(i)
	}
	return slots
}
