package jsbridge

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestFind_equality: an equality without options, which the bridge answers without
// parsing it, finds what the same condition finds inside an and. Whatever is not such an
// equality has its usual meaning or error.
func TestFind_equality(t *testing.T) {
	c := newClient(t)
	c.must("createIndex", array{"people", array{"email"}, object{"unique": true}})
	c.must("createIndex", array{"people", array{"at.home"}, object{"unique": true, "sparse": true}})
	c.must("insert", array{"people", false},
		object{"_id": "a", "email": "a@x", "at": object{"home": 1}},
		object{"_id": 5, "email": "b@x", "at": object{"home": 2.5}},
		object{"email": nil, "at": object{"home": "x"}},
		object{"email": 7},
	)
	found := func(collection any, where any, rest ...any) ([]byte, *failure) {
		answer, failure := c.call("find", append(array{collection, where}, rest...))
		return bytes.Clone(answer), failure // the next call writes over it
	}
	values := array{"a@x", "b@x", "none", "", 7, 7.0, 1, 2.5, 5, 5.0, nil, true, array{"a@x"}, object{"$gt": 1}, object{"x": 1}, []byte("a@x")}
	for _, path := range []string{"email", "at.home", "_id", "nothing", "at", `em\ail`, "$nor", "$and", "", "a..b", "email\\nocase"} {
		for _, v := range values {
			for _, limit := range []int{-1, 1, 2, 0} {
				for _, where := range (array{object{path: v}, array{"eq", path, v}}) {
					got, gotFailure := found("people", where, nil, 0, limit, nil)
					want, wantFailure := found("people", array{"and", where, array{"true"}}, nil, 0, limit, nil)
					if (gotFailure == nil) != (wantFailure == nil) || !bytes.Equal(got, want) {
						t.Errorf("%v with limit %d: got %x (%v), want %x (%v)", where, limit, got, gotFailure, want, wantFailure)
					}
				}
			}
		}
	}
	if _, failure := found("people", object{"email": "a@x"}, nil, 0, -1, nil, 1); failure == nil {
		t.Error("an argument too many is not refused")
	}
	if _, failure := found(7, object{"email": "a@x"}, nil, 0, -1, nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("a collection that is a number: got %v", failure)
	}
	whole := input(t, array{"people", object{"email": "a@x"}, nil, 0, -1, nil})
	for n := range whole {
		if _, failure := c.raw(numberOf(t, "find"), whole[:n]); failure == nil {
			t.Errorf("the first %d of %d bytes of arguments are not refused", n, len(whole))
		}
	}
	for range 2 { // the rows of a find before it are gone
		c.must("find", array{"people", object{"email": "a@x"}, nil, 0, -1, nil})
		if _, failure := c.call("more", nil); failure == nil {
			t.Error("there is more after an equality")
		}
	}
}

// TestEquality: the arguments that are read without parsing, and some that are not.
func TestEquality(t *testing.T) {
	for input, want := range map[string]string{
		"\x81\xa1a\x01\xc0\x00\xff\xc0":          "a 01 all",
		"\x81\xa1a\xa1x\xc0\x00\x01\xc0":         "a a178 one",
		"\x93\xa2eq\xa3a.b\xa1x\xc0\x00\xff\xc0": "a.b a178 all",
		"\x93\xa2ne\xa1a\xa1x\xc0\x00\xff\xc0":   "",
		"\x81\xa1a\xa1x\xc0\x00\x02\xc0":         "",
		"\x81\xa1a\xa1x\xc0\x01\xff\xc0":         "",
		"\x81\xa1a\xa1\xff\xc0\x00\xff\xc0":      "",
		"\x81\xa1a\xc0\xc0\x00\xff\xc0":          "",
		"\x82\xa1a\x01\xa1b\x01\xc0\x00\xff\xc0": "",
		"\x81\xa1$\x01\xc0\x00\xff\xc0":          "",
		"\x81\xa2a\\\x01\xc0\x00\xff\xc0":        "",
		"\x81\xa0\x01\xc0\x00\xff\xc0":           "",
		"\x81\xbfabc":                            "",
		"":                                       "",
	} {
		got := ""
		if path, value, one, ok := equality([]byte(input)); ok {
			got = string(path) + " " + hex.EncodeToString(value) + map[bool]string{true: " one", false: " all"}[one]
		}
		if got != want {
			t.Errorf("%x: got %q, want %q", input, got, want)
		}
	}
}
