package jsbridge

import (
	"runtime"
	"testing"
)

func TestCollectLate_OnceOnly(t *testing.T) {
	defer setGCPercent(setGCPercent(100))
	collectLate()
	if now := setGCPercent(eagerness); now != eagerness {
		t.Fatalf("GOGC is %d before the first collection, want %d", now, eagerness)
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
	defer func() { late, passed = false, 0 }()
	late = true
	insert, settle := numberOf(t, "insert"), numberOf(t, "settle")
	for _, call := range []struct {
		op, bytes uint32
		want      bool
	}{{settle, 1, false}, {insert, filled, false}, {insert, 1, false}, {settle, 1, true}, {settle, 1, false}} {
		if got := doneFilling(call.op, call.bytes); got != call.want {
			t.Errorf("after %d bytes: %v, want %v", passed, got, call.want)
		}
	}
}
