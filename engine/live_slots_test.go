package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLiveSlots compares the slots that live finds keep with a slice, before and after
// they become wide.
func TestLiveSlots(t *testing.T) {
	for _, low := range []uint32{0, maxNarrow - 40, maxNarrow} {
		rng := rand.New(rand.NewPCG(1, uint64(low)))
		var plain []uint32
		var slots liveSlots
		for range 2000 {
			slot := low + uint32(rng.IntN(80))
			switch i, n := 0, len(plain); {
			case n < 3 || rng.IntN(3) == 0:
				i = rng.IntN(n + 1)
				plain = slices.Insert(plain, i, slot)
				slots.insert(i, slot)
			case rng.IntN(4) == 0:
				i = rng.IntN(n)
				plain = slices.Delete(plain, i, i+1)
				slots.remove(i)
			case rng.IntN(4) == 0:
				i = rng.IntN(n)
				plain[i] = slot
				slots.set(i, slot)
			case n > 40:
				plain = plain[:n-5]
				slots.cut(n - 5)
				slots.clip()
			default:
				i, to := rng.IntN(n), rng.IntN(n)
				moved := plain[i]
				plain = slices.Insert(slices.Delete(plain, i, i+1), to, moved)
				slots.move(i, to)
			}
			if !slices.Equal(slots.all(), plain) || slots.len() != len(plain) {
				t.Fatalf("from %d: %v, expected %v", low, slots.all(), plain)
			}
		}
		if fresh := newLiveSlots(plain); !slices.Equal(fresh.all(), plain) || fresh.wide != (slices.Max(plain) >= maxNarrow) {
			t.Fatal("a copy differs")
		}
		if isWide := low > 0; slots.wide != isWide {
			t.Fatalf("from %d: wide is %v", low, slots.wide)
		}
	}
}

// TestLiveFindMemory says what a live find keeps: at most 2 % of small documents.
func TestLiveFindMemory(t *testing.T) {
	slots := make([]uint32, 100_000)
	for i := range slots {
		slots[i] = uint32(i)
	}
	l := newLiveSlots(slots)
	l.insert(5, 100_000)
	if bytes := float64(l.keeps()) / 100_001; bytes > 0.02*156 {
		t.Errorf("%.2f bytes for each document of 156", bytes)
	}
}
