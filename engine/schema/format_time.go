package schema

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

func isDateTime(text []byte) bool {
	return len(text) > 11 && text[10]|0x20 == 't' && isDate(text[:10]) && isTime(text[11:])
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
