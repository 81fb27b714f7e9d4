package jsbridge

import (
	"runtime"
	"testing"
)

func TestCollectLate_OnceOnly(t *testing.T) {
	defer setGCPercent(setGCPercent(100))
	collectLate()
	if now := setGCPercent(firstGCPercent); now != firstGCPercent {
		t.Fatalf("GOGC is %d before the first collection, want %d", now, firstGCPercent)
	}
	runtime.GC()
	for range 100 { // the finalizer has a goroutine of its own
		runtime.Gosched()
	}
	if now := setGCPercent(100); now != 100 {
		t.Errorf("GOGC is %d after the first collection, want 100", now)
	}
}

func TestDoneFilling(t *testing.T) {
	defer func() { isLate, passedBytes = false, 0 }()
	isLate = true
	insert, settle := numberOf(t, "insert"), numberOf(t, "settle")
	for _, call := range []struct {
		op, bytes uint32
		want      bool
	}{{settle, 1, false}, {insert, filledBytes, false}, {insert, 1, false}, {settle, 1, true}, {settle, 1, false}} {
		if got := doneFilling(call.op, call.bytes); got != call.want {
			t.Errorf("after %d bytes: %v, want %v", passedBytes, got, call.want)
		}
	}
}
