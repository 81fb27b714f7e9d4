package schema

import "encoding/binary"

// The formats of RFC 3339.

// number returns the number that digits from text[at] on make; below 0 if one is no
// digit.
//
//go:noinline
func number(text []byte, at, digits int) (n int) {
	if at+digits > len(text) {
		return -1
	}
	for _, c := range text[at : at+digits] {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func isDateTime(text []byte) bool { return isUsualDateTime(text) || isDateTimeSlowly(text) }

func isDateTimeSlowly(text []byte) bool {
	return len(text) > 11 && text[10]|0x20 == 't' && isDate(text[:10]) && isTime(text[11:])
}

// isUsualDateTime says yes to nearly every date and time that toISOString or a log has
// written, 2024-05-17T10:30:00Z or with three digits of a second, eight bytes at a time.
// It knows neither the 29th of a month nor a leap second.
func isUsualDateTime(text []byte) bool {
	n := len(text)
	if (n != 20 || text[19] != 'Z') && (n != 24 || text[23] != 'Z' || text[19] != '.' || number(text, 20, 3) < 0) {
		return false
	}
	// 2024-05-, 17T10:30 and 10:30:00
	return isShaped(text, 0, 0x2d30302d30303030, 0xfff0f0fff0f0f0f0, 0x0006060006060606) &&
		isShaped(text, 8, 0x30303a3030543030, 0xf0f0fff0f0fff0f0, 0x0606000606000606) &&
		isShaped(text, 11, 0x30303a30303a3030, 0xf0f0fff0f0fff0f0, 0x0606000606000606) &&
		isPairUpTo(text, 5, 1, 12) && isPairUpTo(text, 8, 1, 28) && isPairUpTo(text, 11, 0, 23) && isPairUpTo(text, 14, 0, 59) && isPairUpTo(text, 17, 0, 59)
}

// isShaped reports whether eight bytes are digits where shape has 0, and otherwise what
// shape has. Adding six takes a byte above 9 out of the sixteen that begin with 0.
func isShaped(text []byte, at int, shape, mask, six uint64) bool {
	word := binary.LittleEndian.Uint64(text[at:])
	return word&mask == shape && (word+six)&mask == shape
}

// isPairUpTo reports whether two digits make a number of a range.
func isPairUpTo(text []byte, at, low, high int) bool {
	n := int(text[at])*10 + int(text[at+1]) - 11*'0'
	return n >= low && n <= high
}

func isDate(text []byte) bool {
	if len(text) != 10 || text[4] != '-' || text[7] != '-' {
		return false
	}
	year, month, day := number(text, 0, 4), number(text, 5, 2), number(text, 8, 2)
	if year < 0 || month < 1 || month > 12 || day < 1 {
		return false
	}
	days := int("\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[month-1]) // 31, 28, 31, 30 and so on
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}

func isTime(text []byte) bool {
	if len(text) < 9 || text[2] != ':' || text[5] != ':' {
		return false
	}
	hour, minute, second := number(text, 0, 2), number(text, 3, 2), number(text, 6, 2)
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return false
	}
	text = text[8:]
	if text[0] == '.' {
		n := 1
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		if n == 1 || n == len(text) {
			return false
		}
		text = text[n:]
	}
	offset := 0
	switch {
	case len(text) == 1 && text[0]|0x20 == 'z':
	case len(text) == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':':
		hours, minutes := number(text, 1, 2), number(text, 4, 2)
		if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
			return false
		}
		if offset = hours*60 + minutes; text[0] == '-' {
			offset = -offset
		}
	default:
		return false
	}
	// A leap second is the last one of a day in UTC.
	const day = 24 * 60
	return second < 60 || (hour*60+minute-offset+day)%day == day-1
}

// isDuration: appendix A of RFC 3339. Units are in order, with none left out between
// two of them; weeks stand alone.
func isDuration(text []byte) bool {
	if len(text) < 2 || text[0] != 'P' {
		return false
	}
	text = text[1:]
	if text[len(text)-1] == 'W' {
		rest, ok := units(text, "W")
		return ok && len(rest) == 0
	}
	if text[0] != 'T' {
		var ok bool
		if text, ok = units(text, "YMD"); !ok {
			return false
		}
		if len(text) == 0 {
			return true
		}
	}
	if text[0] != 'T' {
		return false
	}
	rest, ok := units(text[1:], "HMS")
	return ok && len(rest) == 0
}

// units reads numbers with units that are neighbours in names, up to the end or a T.
func units(text []byte, names string) (rest []byte, ok bool) {
	last := -1
	for len(text) > 0 && text[0] != 'T' {
		n := 0
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		if n == 0 || n == len(text) {
			return text, false
		}
		at := -1
		for i := range len(names) {
			if names[i] == text[n] {
				at = i
			}
		}
		if at < 0 || last >= 0 && at != last+1 {
			return text, false
		}
		last, text = at, text[n+1:]
	}
	return text, last >= 0
}
