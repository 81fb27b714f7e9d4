package token_test

import (
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

func TestClipped(t *testing.T) {
	long := token.Clipped(strings.Repeat("é", 1000))
	side := strings.Count(long, "é") + 1
	if long != strings.Repeat("é", side-1)+"…" {
		t.Fatalf("a text of 1000 letters becomes %q", long)
	}
	if whole := strings.Repeat("é", side); token.Clipped(whole) != whole {
		t.Errorf("a text that is as long as a clipped one is clipped")
	}
}
