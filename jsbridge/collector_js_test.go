package jsbridge

import (
	"runtime"
	"syscall/js"
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

func TestAfterCall(t *testing.T) {
	reset := func() { isLate, passedBytes, callsSince = false, 0, 0 }
	defer reset()
	insert, settle, update := numberOf(t, "insert"), numberOf(t, "settle"), numberOf(t, "update")
	type call struct {
		op, bytes uint32
		changes   uint64
		want      collection
	}
	filled := []call{{settle, 1, 0, collectLater}, {insert, filledBytes, 5000, collectLater}, {insert, 1, 1, collectLater}}
	for name, calls := range map[string][]call{
		"a small call":       {{settle, 1, 0, collectSoon}, {settle, 1, 0, collectLater}, {insert, 1, 1, collectLater}},
		"a large call":       {{update, 1, manyChanges, collectNow}},
		"a large call later": {{settle, 1, 0, collectSoon}, {update, 1, manyChanges - 1, collectLater}, {update, 1, manyChanges, collectNow}},
		"a large insert":     {{settle, 1, 0, collectSoon}, {insert, 1, manyChanges, collectNow}},
	} {
		reset()
		for i, c := range append(filled[:len(filled):len(filled)], calls...) {
			if got := afterCall(c.op, c.bytes, c.changes); got != c.want {
				t.Errorf("%s, call %d: %v, want %v", name, i, got, c.want)
			}
		}
	}
	for n := callsSince; n < maxCallsSince-1; n++ {
		if got := afterCall(settle, 1, 0); got == collectNow {
			t.Fatalf("call %d does not wait for a turn", n)
		}
	}
	if got := afterCall(settle, 1, 0); got != collectNow {
		t.Errorf("after %d calls without a turn: %v", maxCallsSince, got)
	}
}

func TestCollectInTurn(t *testing.T) {
	defer setGCPercent(setGCPercent(100))
	collectLate()
	collectInTurn()
	if !isLate {
		t.Fatal("it did not wait for a turn")
	}
	turn := make(chan struct{})
	next := js.FuncOf(func(js.Value, []js.Value) any {
		close(turn)
		return nil
	})
	defer next.Release()
	js.Global().Call("setTimeout", next, 5)
	<-turn
	if isLate {
		t.Error("its turn is over, and it was not called")
	}
}
