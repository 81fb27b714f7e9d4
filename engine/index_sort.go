package engine

import (
	"cmp"
	"iter"
	"slices"
)

// A keyed is something that is sorted by a key: a slot, or a place in a slice.
type keyed struct {
	key key
	at  uint32
}

// maxComparedKeys is how many keys are sorted faster by comparing than by their
// bytes.
const maxComparedKeys = 48

// sortByKey sorts items, whose places ascend, by their keys without the flag;
// items with the same key keep their order. It goes by the bytes of the keys, the
// last byte first, without comparing. spare is as long as items.
func sortByKey(items, spare []keyed) {
	if len(items) <= maxComparedKeys {
		slices.SortFunc(items, func(a, b keyed) int { return cmp.Or(cmp.Compare(a.key>>1, b.key>>1), cmp.Compare(a.at, b.at)) })
		return
	}
	from, to := items, spare
	for shift := 1; shift < 64; shift += 8 { // bit 0 is no part of the order
		from, to = sortByByte(from, to, shift)
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}

// sortByByte sorts by one byte of the keys; items with the same byte keep their
// order. It returns the sorted items and the other slice.
func sortByByte(from, to []keyed, shift int) (sorted, spare []keyed) {
	var starts [256]int
	for i := range from {
		starts[byte(from[i].key>>shift)]++
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
		b := byte(from[i].key >> shift)
		to[starts[b]] = from[i]
		starts[b]++
	}
	return to, from
}

// runs yields each run of two or more sorted items whose keys agree, and whether
// their values are sure to be equal.
func runs(items []keyed) iter.Seq2[[]keyed, bool] {
	return func(yield func([]keyed, bool) bool) {
		for len(items) > 0 {
			first := items[0].key
			end, flags := 1, first
			for end < len(items) && items[end].key>>1 == first>>1 {
				flags |= items[end].key
				end++
			}
			if end > 1 && !yield(items[:end], flags&inexact == 0) {
				return
			}
			items = items[end:]
		}
	}
}

// sortEntries returns the entries of a new index in order. They come sorted by
// slot and nth.
func (ix *index) sortEntries(entries []entry) []entry {
	items := make([]keyed, len(entries))
	for i := range entries {
		items[i] = keyed{entries[i].keys[0], uint32(i)}
	}
	spare := make([]keyed, len(items))
	sortByKey(items, spare)
	for run, equal := range runs(items) {
		if single := len(ix.paths) == 1; equal && single {
			continue
		} else if equal == single || len(run) <= maxComparedKeys { // the second keys help little or not at all
			slices.SortFunc(run, func(a, b keyed) int { return ix.compare(entries[a.at], entries[b.at]) })
			continue
		}
		for i := range run {
			run[i].key = entries[run[i].at].keys[1]
		}
		sortByKey(run, spare[:len(run)])
		for part, equal := range runs(run) {
			if !equal || len(ix.paths) > len(entry{}.keys) {
				slices.SortFunc(part, func(a, b keyed) int { return ix.compare(entries[a.at], entries[b.at]) })
			}
		}
	}
	sorted := make([]entry, len(entries))
	for i := range items {
		sorted[i] = entries[items[i].at]
	}
	return sorted
}
