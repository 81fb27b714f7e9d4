package token

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// An Instant is a point in time as MessagePack keeps it: seconds since 1970
// and nanoseconds after them. Package time is not used: it would bring time
// zones and a clock into the engine.
type Instant struct {
	seconds int64
	nanos   uint32
}

func InstantOf(v []byte) Instant {
	seconds, nanos := msgpack.Time(v)
	return Instant{seconds, nanos}
}

// AppendTime appends t to b. Where milliseconds are exact they are encoded: a
// JavaScript Date counts them, and they have the shortest encoding.
func AppendTime(b []byte, t Instant) []byte {
	const limit = 1 << 50 // seconds; as milliseconds they still fit an int64
	if t.nanos%1e6 == 0 && t.seconds > -limit && t.seconds < limit {
		return msgpack.AppendDate(b, t.seconds*1000+int64(t.nanos/1e6))
	}
	const ext8, timestamp = 0xc7, 0xff // MessagePack's extension of 12 bytes, of type -1
	b = binary.BigEndian.AppendUint32(append(b, ext8, 12, timestamp), t.nanos)
	return binary.BigEndian.AppendUint64(b, uint64(t.seconds))
}

const (
	daySeconds = 86400
	eraDays    = 146097 // in 400 years
	dateForm   = "a date like '2024-05-17' or '2024-05-17T10:30:00Z'"
)

// ParseDate reads ISO 8601 as JavaScript writes it: a date, or a date and time
// with up to nine digits of a second and Z or an offset. Without either the
// time is in UTC. Years outside 0 to 9999 have a sign and six digits or more.
// wrong says what is wrong with text, and is empty if nothing is.
func ParseDate(text string) (t Instant, wrong string) {
	s := scanner{rest: text}
	year, month, day := s.date()
	seconds, nanos, offset := int64(0), int64(0), int64(0)
	if s.rest != "" && (s.accept('T') || s.accept('t') || s.accept(' ')) {
		seconds, nanos = s.clock()
		offset = s.zone()
	}
	if s.wrong == "" && s.rest != "" {
		s.wrong = "has more after the end: " + strconv.Quote(s.rest)
	}
	if s.wrong != "" {
		return Instant{}, s.wrong
	}
	days := DaysFromCivil(year, month, day)
	total := days*daySeconds + seconds
	moved := total - offset
	// Outside the range of int64 the seconds wrap: then they do not lead back
	// to their day, or the offset moves them the wrong way.
	if back, _ := FloorDiv(total, daySeconds); back != days || (moved > total) != (offset < 0) {
		return Instant{}, "lies too far away"
	}
	return Instant{moved, uint32(nanos)}, ""
}

// A scanner reads numbers off the front of a date. It keeps the first fault.
type scanner struct{ rest, wrong string }

func (s *scanner) fail(why string) {
	if s.wrong == "" {
		s.wrong = why
	}
}

func (s *scanner) accept(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) expect(c byte) {
	if !s.accept(c) {
		s.fail("has no " + strconv.Quote(string(c)) + " where one belongs")
	}
}

// digits reads from min to max digits of what.
func (s *scanner) digits(min, max int, what string) (digits string) {
	n := 0
	for n < len(s.rest) && n < max && s.rest[n] >= '0' && s.rest[n] <= '9' {
		n++
	}
	if n < min {
		s.fail("has no " + what + " where one belongs")
		return "0"
	}
	digits, s.rest = s.rest[:n], s.rest[n:]
	return digits
}

// number reads two digits that may spell low to high.
func (s *scanner) number(what string, low, high int64) int64 {
	n, _ := strconv.ParseInt(s.digits(2, 2, "two-digit "+what), 10, 64)
	if n < low || n > high {
		s.fail("has the " + what + " " + strconv.FormatInt(n, 10))
	}
	return n
}

func (s *scanner) date() (year, month, day int64) {
	switch {
	case s.accept('-'):
		year, _ = strconv.ParseInt(s.digits(6, 12, "six-digit year"), 10, 64)
		year = -year
	case s.accept('+'):
		year, _ = strconv.ParseInt(s.digits(6, 12, "six-digit year"), 10, 64)
	default:
		year, _ = strconv.ParseInt(s.digits(4, 4, "four-digit year"), 10, 64)
	}
	s.expect('-')
	month = s.number("month", 1, 12)
	s.expect('-')
	day = s.number("day", 1, 31)
	if s.wrong == "" {
		if y, m, d := CivilFromDays(DaysFromCivil(year, month, day)); y != year || m != month || d != day {
			s.fail("has a day that its month does not have")
		}
	}
	return year, month, day
}

func (s *scanner) clock() (seconds, nanos int64) {
	seconds = 3600 * s.number("hour", 0, 23)
	s.expect(':')
	seconds += 60 * s.number("minute", 0, 59)
	if !s.accept(':') {
		return seconds, 0
	}
	seconds += s.number("second", 0, 59)
	if s.accept('.') {
		digits := s.digits(1, 9, "fraction of a second")
		nanos, _ = strconv.ParseInt((digits + "00000000")[:9], 10, 64)
	}
	return seconds, nanos
}

// zone returns the offset from UTC in seconds.
func (s *scanner) zone() int64 {
	sign := int64(1)
	switch {
	case s.rest == "", s.accept('Z'), s.accept('z'):
		return 0
	case s.accept('-'):
		sign = -1
	default:
		s.expect('+')
	}
	offset := 3600 * s.number("offset", 0, 23)
	s.expect(':')
	return sign * (offset + 60*s.number("offset", 0, 59))
}

// String writes t so that ParseDate reads it back exactly.
func (t Instant) String() string {
	var b []byte
	b, ofDay := t.appendDay(b)
	if ofDay == 0 && t.nanos == 0 {
		return string(b)
	}
	b = appendTimeOfDay(b, ofDay)
	if t.nanos != 0 {
		fraction := string(appendPadded(nil, '.', int64(t.nanos), 9))
		b = append(b, strings.TrimRight(fraction, "0")...)
	}
	return string(append(b, 'Z'))
}

// AppendISO appends t as JavaScript's Date.toISOString writes it, in milliseconds.
// Years that it cannot write are written with more digits.
func (t Instant) AppendISO(b []byte) []byte {
	b, ofDay := t.appendDay(b)
	return append(appendPadded(appendTimeOfDay(b, ofDay), '.', int64(t.nanos/1e6), 3), 'Z')
}

// appendDay appends the day of t. ofDay is how many seconds of it have gone.
//
//go:noinline
func (t Instant) appendDay(b []byte) (day []byte, ofDay int64) {
	days, ofDay := FloorDiv(t.seconds, daySeconds)
	year, month, date := CivilFromDays(days)
	switch {
	case year < 0:
		b = appendPadded(b, '-', -year, 6)
	case year > 9999:
		b = appendPadded(b, '+', year, 6)
	default:
		b = appendPadded(b, 0, year, 4)
	}
	return appendPadded(appendPadded(b, '-', month, 2), '-', date, 2), ofDay
}

//go:noinline
func appendTimeOfDay(b []byte, seconds int64) []byte {
	b = appendPadded(b, 'T', seconds/3600, 2)
	b = appendPadded(b, ':', seconds/60%60, 2)
	return appendPadded(b, ':', seconds%60, 2)
}

// appendPadded appends a number with zeros before it, after a sign or separator if that
// is not 0.
//
//go:noinline
func appendPadded(b []byte, before byte, n int64, width int) []byte {
	if before != 0 {
		b = append(b, before)
	}
	for limit := int64(10); width > 1; width, limit = width-1, limit*10 {
		if n < limit {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, n, 10)
}

// DaysFromCivil returns the days from 1970-01-01 to a date of the proleptic
// Gregorian calendar. Years are counted from March, so that the leap day ends
// one: http://howardhinnant.github.io/date_algorithms.html
func DaysFromCivil(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era, yearOfEra := FloorDiv(year, 400)
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	return era*eraDays + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int64) (year, month, day int64) {
	era, dayOfEra := FloorDiv(days+719468, eraDays)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*fromMarch+2)/5 + 1
	month = (fromMarch+2)%12 + 1
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// FloorDiv divides so that the rest is never negative.
func FloorDiv(n, by int64) (quotient, rest int64) {
	quotient, rest = n/by, n%by
	if rest < 0 {
		quotient, rest = quotient-1, rest+by
	}
	return quotient, rest
}
