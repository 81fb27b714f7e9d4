package engine

import "slices"

// sorted sorts the entries of a new order, which come by slot and nth, and
// returns them. Keys decide nearly everything, and are sorted by their bytes,
// the last byte first, without comparing; only runs that agree in a key that
// is too short are compared.
func (o *order) sorted(entries []entry) []entry {
	spare := make([]entry, len(entries))
	for level := len(entry{}.keys) - 1; level >= 0; level-- {
		for shift := 1; shift < 64; shift += 8 { // bit 0 is no part of the order
			entries, spare = byByte(entries, spare, level, shift)
		}
	}
	o.settle(entries, 0)
	return entries
}

// byByte sorts by one byte of the keys of a level, keeping the order of those
// that have the same. It returns the sorted entries and the other slice.
func byByte(from, to []entry, level, shift int) (sorted, spare []entry) {
	var starts [256]int
	for i := range from {
		starts[byte(from[i].keys[level]>>shift)]++
	}
	next := 0
	for b, count := range starts {
		if count == len(from) {
			return from, to // all have this byte
		}
		starts[b] = next
		next += count
	}
	for i := range from {
		b := byte(from[i].keys[level] >> shift)
		to[starts[b]] = from[i]
		starts[b]++
	}
	return to, from
}

// settle puts in order the runs of entries that agree in the keys of a level,
// where these do not tell the values apart.
func (o *order) settle(entries []entry, level int) {
	for len(entries) > 0 {
		first := entries[0].keys[level]
		end, flags := 1, first
		for end < len(entries) && entries[end].keys[level]>>1 == first>>1 {
			flags |= entries[end].keys[level]
			end++
		}
		if end > 1 {
			switch equal, single := flags&inexact == 0, len(o.paths) == 1; {
			case level == 0 && equal != single: // the next keys are of what is to be compared next
				o.settle(entries[:end], 1)
			case !equal, level == 1 && len(o.paths) > len(entry{}.keys):
				slices.SortFunc(entries[:end], o.compare)
			}
		}
		entries = entries[end:]
	}
}
