package query_test

import (
	"math/rand"
	"regexp"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestWildcard: a pattern matches what the regular expression matches by which it is
// printed.
func TestWildcard(t *testing.T) {
	seed := rand.Int63()
	random := rand.New(rand.NewSource(seed))
	word := func(of string, most int) string {
		letters := []rune(of)
		text := make([]rune, random.Intn(most+1))
		for i := range text {
			text[i] = letters[random.Intn(len(letters))]
		}
		return string(text)
	}
	matched := 0
	for range 30_000 {
		var w *query.Wildcard
		var err error
		pattern := ""
		if random.Intn(2) == 0 {
			pattern = word("aAbé%_!5%", 7)
			w, err = query.ParseLike(pattern, '!')
		} else {
			pattern = word("aAbé*?[]^-5*", 7)
			w, err = query.ParseGlob(pattern)
		}
		if err != nil {
			continue
		}
		f := query.Like(query.ParsePath("v"), w)
		text := word("aAbBéÉ5%_[]-^", 6)
		doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 1), "v"), text)
		got := w.Match([]byte(text), nil)
		if got {
			matched++
		}
		if f.Match(doc) != got {
			t.Fatalf("seed %d: the filter of %q says %v of %q", seed, pattern, !got, text)
		}
		if f.Op == query.OpMatches {
			if want := regexp.MustCompile(f.Pattern).MatchString(text); got != want {
				t.Fatalf("seed %d: %q is %v of %q, and %s is %v", seed, pattern, got, text, f.Pattern, want)
			}
		}
	}
	if matched < 1000 {
		t.Errorf("seed %d: only %d texts matched", seed, matched)
	}
}

// TestWildcard_stops: a search that takes long asks whether to go on.
func TestWildcard_stops(t *testing.T) {
	w, err := query.ParseLike("%"+string(make([]byte, 1000))+"%x", -1)
	if err != nil {
		t.Fatal(err)
	}
	spent := 0
	if w.Match(make([]byte, 20_000), func(units int) { spent += units }) || spent == 0 {
		t.Errorf("spent %d units", spent)
	}
}

func BenchmarkWildcard(b *testing.B) {
	like, _ := query.ParseLike("person a%", -1)
	text := msgpack.AppendString(nil, "Person bcd")
	regexp, _ := query.Matches(query.Path{}, "(?s)^[pP][eE][rR][sS][oO][nN] [aA].*$")
	for name, f := range map[string]*query.Filter{"like": query.Like(query.Path{}, like), "regexp": regexp} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				f.Holds(text)
			}
		})
	}
}
