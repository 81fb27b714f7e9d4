package query_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestDate reads dates as package time does.
func TestDate(t *testing.T) {
	for text, want := range map[string]string{
		"1970-01-01":                         "",
		"2024-02-29":                         "",
		"0000-01-01":                         "",
		"9999-12-31T23:59:59.999Z":           "",
		"1969-12-31T23:59:59.999999999Z":     "",
		"2024-05-17T10:30Z":                  "2024-05-17T10:30:00Z",
		"2024-05-17T10:30":                   "2024-05-17T10:30:00Z",
		"2024-05-17 10:30:15.5":              "2024-05-17T10:30:15.5Z",
		"2024-05-17t10:30:15z":               "2024-05-17T10:30:15Z",
		"2024-05-17T00:30:00+02:00":          "2024-05-16T22:30:00Z",
		"2024-12-31T23:30:00.25-01:45":       "2025-01-01T01:15:00.25Z",
		"2024-05-17T10:30:00.000Z":           "2024-05-17T10:30:00Z",
		"+002024-05-17":                      "2024-05-17",
		"+275760-09-13":                      "", // the last Date of JavaScript
		"-271821-04-20":                      "", // and the first
		"-000001-02-28T12:00:00.001Z":        "",
		"+292277026596-12-04T15:30:07Z":      "", // the last second that MessagePack holds
		"-292277022657-01-27T08:29:52Z":      "", // and the first
		"+292277026596-12-04T15:30:07+00:01": "+292277026596-12-04T15:29:07Z",
		"+292277026596-12-04T15:30:08Z":      "refused",
		"+292277026596-12-04T15:30:07-00:01": "refused",
		"-292277022657-01-27T08:29:51Z":      "refused",
		"-292277022657-01-27T08:29:52+00:01": "refused",
		"+999999999999-01-01":                "refused",
		"2023-02-29":                         "refused",
		"1900-02-29":                         "refused",
		"2000-02-29":                         "",
		"2024-04-31":                         "refused",
		"2024-00-01":                         "refused",
		"2024-01-00":                         "refused",
		"2024-1-1":                           "refused",
		"24-01-01":                           "refused",
		"02024-01-01":                        "refused",
		"2024-01-01T":                        "refused",
		"2024-01-01T24:00":                   "refused",
		"2024-01-01T10":                      "refused",
		"2024-01-01T10:60":                   "refused",
		"2024-01-01T10:00:60":                "refused",
		"2024-01-01T10:00:00.":               "refused",
		"2024-01-01T10:00:00.1234567891Z":    "refused",
		"2024-01-01T10:00:00+0200":           "refused",
		"2024-01-01T10:00:00Zulu":            "refused",
		"2024-01-01Z":                        "refused",
		"":                                   "refused",
		"now":                                "refused",
	} {
		f, err := query.ParseText("d = date('" + text + "')")
		if want == "refused" {
			if err == nil || !strings.Contains(err.Error(), "expected a date like '2024-05-17' or '2024-05-17T10:30:00Z', found '"+text+"', which ") {
				t.Errorf("%q is read as %v, %v", text, f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if want == "" {
			want = text
		}
		if got := f.String(); got != "d = date('"+want+"')" {
			t.Errorf("%q is read as %s, want %s", text, got, want)
		}
		for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
			if reference, err := time.Parse(layout, text); err == nil {
				if seconds, nanos := msgpack.Time(f.Value); seconds != reference.Unix() || int(nanos) != reference.Nanosecond() {
					t.Errorf("%q is read as %d.%09d, want %v", text, seconds, nanos, reference)
				}
			}
		}
	}
}

// TestDate_everyDay writes and reads each day of a whole cycle of the calendar,
// 400 years, across year 0. Package time says the same.
func TestDate_everyDay(t *testing.T) {
	start := time.Date(-100, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := start; day.Year() <= 300; day = day.AddDate(0, 0, 1) {
		f := query.Eq(query.ParsePath("d"), msgpack.AppendDate(nil, day.UnixMilli()))
		if day.Year() >= 0 {
			if got, want := f.String(), "d = date('"+day.Format(time.DateOnly)+"')"; got != want {
				t.Fatalf("%v is written as %s", day, got)
			}
		}
		again, err := query.ParseText(f.String())
		if err != nil || !same(f, again) {
			t.Fatalf("%v is written as %s and read as %v, %v", day, f, again, err)
		}
	}
}

// TestDate_roundTrip: whatever MessagePack can hold, to the nanosecond.
func TestDate_roundTrip(t *testing.T) {
	rng := newRand(t)
	for range 20_000 {
		seconds := int64(rng.Uint64()) >> rng.UintN(64)
		b := []byte{0xc7, 12, 0xff} // a timestamp in its longest encoding
		for shift := 24; shift >= 0; shift -= 8 {
			b = append(b, byte(rng.Uint32N(1e9)>>shift))
		}
		for shift := 56; shift >= 0; shift -= 8 {
			b = append(b, byte(seconds>>shift))
		}
		if _, err := msgpack.Validate(b, 1); err != nil {
			continue // the bytes of several numbers below 1e9 may make one above
		}
		f := query.Eq(query.ParsePath("d"), b)
		again, err := query.ParseText(f.String())
		if err != nil || !same(f, again) || !again.Holds(b) {
			t.Fatalf("%x is written as %s and read as %v, %v", b, f, again, err)
		}
	}
	if f := query.Eq(query.ParsePath("d"), msgpack.AppendDate(nil, math.MinInt64)); f.String() != "d = date('-292275055-05-16T16:47:04.192Z')" {
		t.Errorf("the first millisecond is written as %s", f)
	}
}
