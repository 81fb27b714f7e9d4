package engine

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

var update = flag.Bool("update", false, "write testdata/hashes.json anew")

// hashKeys are the keys of testdata/hashes.json. What the first four must be is known from elsewhere.
func hashKeys() []any {
	keys := []any{"", "test", "Hello, world!", "The quick brown fox jumps over the lazy dog"}
	for n := range 13 {
		keys = append(keys, strings.Repeat("~\x00aZ9", 3)[:n], int64(n), -int64(n))
	}
	for shift := range 53 {
		n := int64(1)<<shift + int64(shift)
		keys = append(keys, n, -n)
	}
	return append(keys, int64(maxSafeID), int64(-maxSafeID))
}

// TestHashes: JavaScript, which reads the same file, and Go hash alike, and MurmurHash3 as others do.
func TestHashes(t *testing.T) {
	var got [][2]any
	for _, key := range hashKeys() {
		got = append(got, [2]any{key, hashID(encodedKey(key))})
	}
	for i, want := range []uint32{0, 0xba6bd213, 0xc0363e43, 0x2e4ff723} {
		if hash := got[i][1].(uint32); hash != want {
			t.Errorf("the hash of %q is %#x, want %#x", got[i][0], hash, want)
		}
	}
	lines := make([]string, len(got))
	for i, pair := range got {
		line, err := json.Marshal(pair)
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = "  " + string(line)
	}
	text := "[\n" + strings.Join(lines, ",\n") + "\n]\n"
	const path = "testdata/hashes.json"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != text {
		t.Errorf("%s is not what go test ./engine -run TestHashes -update writes", path)
	}
}

func encodedKey(key any) []byte {
	if text, ok := key.(string); ok {
		return msgpack.AppendString(nil, text)
	}
	return msgpack.AppendInt(nil, key.(int64))
}

// TestHashValue_ofNumbers: an integer and the float that it equals have one hash, and few different numbers have.
func TestHashValue_ofNumbers(t *testing.T) {
	for range 10_000 {
		n := rand.Int64N(2*maxSafeID) - maxSafeID
		if rand.IntN(2) == 0 {
			n >>= rand.IntN(53)
		}
		if asInt, asFloat := hashValue(msgpack.AppendInt(nil, n)), hashValue(msgpack.AppendFloat(nil, float64(n))); asInt != asFloat {
			t.Fatalf("%d: %#x as an integer, %#x as a float", n, asInt, asFloat)
		}
	}
	seen := map[uint32]int{}
	for n := range 100_000 {
		seen[hashValue(msgpack.AppendInt(nil, int64(n)))]++
		seen[hashValue(msgpack.AppendFloat(nil, math.Sqrt(float64(n))+0.1))]++
	}
	if len(seen) < 199_900 {
		t.Errorf("200,000 numbers have %d hashes", len(seen))
	}
}
