package sql

import (
	"math"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

const (
	dayMillis   = 86_400_000
	julianEpoch = 210_866_760_000_000 // milliseconds from the start of the Julian days to 1970
	lastMoment  = 464_269_060_799_999 // of the year 9999, in milliseconds of Julian days
)

// A moment is a time that SQLite's functions work with, in UTC.
type moment struct {
	millis   int64   // since 1970
	raw      float64 // the number that it was given as, for the modifiers that say what it counts
	isNumber bool
	exactly  bool  // to the millisecond
	over     int64 // how many days the last date named was after the end of its month
}

func (m *moment) isValid() bool {
	return m.millis >= -julianEpoch && m.millis <= lastMoment-julianEpoch
}

// momentOf reads a time and its modifiers; false if it is none.
func momentOf(args [][]byte) (m moment, ok bool) {
	if len(args) == 0 || !m.read(args[0]) {
		return m, false
	}
	for i, v := range args[1:] {
		text, ok := textOf(v)
		if !ok || !m.modify(strings.ToLower(strings.TrimSpace(text)), i == 0) {
			return m, false
		}
	}
	return m, m.isValid()
}

// read takes a date, the number of a Julian day, or a text.
func (m *moment) read(v []byte) bool {
	switch msgpack.KindOf(v) {
	case msgpack.Date:
		m.millis = int64(msgpack.DateMillis(v))
		return m.isValid()
	case msgpack.Number:
		m.number(msgpack.Float(v))
		return true
	case msgpack.String:
	default:
		return false
	}
	text := strings.TrimSpace(string(msgpack.Str(v)))
	if m.civil(text) {
		return true
	}
	n, all := numberAtFront(text)
	if all {
		m.number(msgpack.Float(n))
	}
	return all
}

func (m *moment) number(x float64) {
	m.raw, m.isNumber = x, true
	m.millis = math.MaxInt64 // until a modifier says what it counts
	if x >= 0 && x < 5373484.5 {
		m.millis = int64(x*dayMillis+0.5) - julianEpoch
	}
}

// civil reads 2024-01-31, 12:30, or both, and the offset of a time zone.
func (m *moment) civil(text string) bool {
	days, rest, hasDate := int64(10957), text, false // 2000-01-01
	if len(text) >= 10 && text[4] == '-' && text[7] == '-' {
		year, ok1 := digits(text[:4])
		month, ok2 := digits(text[5:7])
		day, ok3 := digits(text[8:10])
		if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > 31 {
			return false
		}
		days = m.day(year, month, day)
		hasDate, rest = true, text[10:]
	}
	m.millis = days * dayMillis
	if rest == "" {
		return hasDate
	}
	if hasDate {
		rest = strings.TrimLeft(strings.TrimPrefix(rest, "T"), " ")
	}
	millis, rest, ok := clock(rest)
	if !ok {
		return false
	}
	m.millis += millis
	switch rest = strings.TrimSpace(rest); {
	case rest == "" || rest == "Z" || rest == "z":
		return true
	case rest[0] != '+' && rest[0] != '-':
		return false
	}
	offset, after, ok := clock(rest[1:])
	if !ok || after != "" || len(rest) != 6 {
		return false
	}
	if rest[0] == '+' {
		offset = -offset
	}
	m.millis += offset
	return true
}

// clock reads 12:30, 12:30:15 or 12:30:15.250.
func clock(text string) (millis int64, rest string, ok bool) {
	if len(text) < 5 || text[2] != ':' {
		return 0, "", false
	}
	hours, ok1 := digits(text[:2])
	minutes, ok2 := digits(text[3:5])
	if !ok1 || !ok2 || hours > 24 || minutes > 59 {
		return 0, "", false
	}
	millis, rest = hours*3_600_000+minutes*60_000, text[5:]
	if len(rest) < 3 || rest[0] != ':' {
		return millis, rest, rest == "" || rest[0] != ':'
	}
	seconds, ok := digits(rest[1:3])
	if !ok || seconds > 59 {
		return 0, "", false
	}
	millis, rest = millis+seconds*1000, rest[3:]
	if len(rest) > 1 && rest[0] == '.' {
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		fraction, _ := strconv.ParseFloat("0"+rest[:end], 64)
		millis, rest = millis+int64(fraction*1000+0.5), rest[end:]
	}
	return millis, rest, true
}

// digits reads a text of digits alone.
func digits(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int64(n), err == nil
}

// civilDate returns the date, and the milliseconds of the day.
func (m *moment) civilDate() (year, month, day, ofDay int64) {
	days, ofDay := token.FloorDiv(m.millis, dayMillis)
	year, month, day = token.CivilFromDays(days)
	return year, month, day, ofDay
}

func (m *moment) setDate(year, month, day, ofDay int64) {
	m.millis = m.day(year, month, day)*dayMillis + ofDay
}

// day returns the number of a day, which its month may not have.
func (m *moment) day(year, month, day int64) int64 {
	first := token.DaysFromCivil(year, month, 1)
	after, next := token.FloorDiv(month, 12)
	m.over = max(first+day-token.DaysFromCivil(year+after, next+1, 1), 0)
	return first + day - 1
}

// units are what modifiers add, in milliseconds. Months and years have no one length.
var units = map[string]float64{"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": dayMillis, "month": 30 * dayMillis, "year": 365 * dayMillis}

// modify applies a modifier in lower case; false if it is none.
func (m *moment) modify(text string, isFirst bool) bool {
	switch text {
	case "unixepoch", "auto":
		if !m.isNumber || !isFirst {
			return text == "auto" && isFirst
		}
		if text == "unixepoch" || m.raw < 0 || m.raw >= 5373484.5 {
			if math.Abs(m.raw) > 1e12 {
				return false
			}
			m.millis = int64(math.Floor(m.raw*1000 + 0.5))
		}
		return m.isValid()
	case "julianday":
		return isFirst && m.isNumber && m.isValid()
	}
	if !m.isValid() {
		return false
	}
	year, month, _, ofDay := m.civilDate()
	switch text {
	case "start of day":
		m.millis -= ofDay
	case "start of month":
		m.setDate(year, month, 1, 0)
	case "start of year":
		m.setDate(year, 1, 1, 0)
	case "subsec", "subsecond":
		m.exactly = true
	case "ceiling": // what a day becomes that its month does not have
		m.over = 0
	case "floor":
		m.millis -= m.over * dayMillis
	default:
		if day, ok := strings.CutPrefix(text, "weekday "); ok {
			return m.toWeekday(day)
		}
		return m.add(text)
	}
	return true
}

// weekday is 0 for a Sunday.
func (m *moment) weekday() int64 {
	days, _ := token.FloorDiv(m.millis, dayMillis)
	_, weekday := token.FloorDiv(days+4, 7)
	return weekday
}

func (m *moment) toWeekday(text string) bool {
	day, ok := digits(text)
	if !ok || day > 6 {
		return false
	}
	_, ahead := token.FloorDiv(day-m.weekday(), 7)
	m.millis += ahead * dayMillis
	return true
}

// addDate applies +0001-02-03, and returns what follows, a time to be added too; false if
// text is none.
func (m *moment) addDate(text string) (rest string, ok bool) {
	if len(text) < 11 || text[5] != '-' || text[8] != '-' || text[0] != '+' && text[0] != '-' {
		return text, true
	}
	years, ok1 := digits(text[1:5])
	months, ok2 := digits(text[6:8])
	days, ok3 := digits(text[9:11])
	if rest = text[11:]; !ok1 || !ok2 || !ok3 || months > 11 || days > 30 || rest != "" && rest[0] != ' ' {
		return "", false
	}
	by := int64(1)
	if text[0] == '-' {
		by = -1
	}
	m.addMonths(by * (years*12 + months))
	if m.millis += by * days * dayMillis; rest != "" {
		rest = text[:1] + rest[1:]
	}
	return rest, true
}

func (m *moment) addMonths(n int64) {
	year, month, day, ofDay := m.civilDate()
	year, month = token.FloorDiv(year*12+month-1+n, 12)
	m.setDate(year, month+1, day, ofDay)
}

// add applies +3 days, -1.5 hours, +02:30 or +0001-02-03.
func (m *moment) add(text string) bool {
	text, isKnown := m.addDate(text)
	if !isKnown || text == "" {
		return isKnown && m.isValid()
	}
	amount, unit, ok := strings.Cut(text, " ")
	if !ok {
		negative := strings.HasPrefix(text, "-")
		millis, rest, ok := clock(strings.TrimLeft(text, "+-"))
		if !ok || rest != "" {
			return false
		}
		if negative {
			millis = -millis
		}
		m.millis += millis
		return true
	}
	n, all := numberAtFront(amount)
	unit = strings.TrimSuffix(strings.TrimSpace(unit), "s")
	length, known := units[unit]
	x := msgpack.Float(n)
	if !all || !known || math.Abs(x)*length > 1e15 {
		return false
	}
	m.over = 0
	if unit == "month" || unit == "year" {
		whole := int64(x)
		if x -= float64(whole); unit == "year" {
			whole *= 12
		}
		m.addMonths(whole)
	}
	m.millis += int64(math.Floor(x*length + 0.5))
	return m.isValid()
}

// timeText writes a date and a time of day.
func timeText(args [][]byte, date, clock string) []byte {
	m, ok := momentOf(args)
	if !ok {
		return null
	}
	if m.exactly && clock != "" {
		clock = "%H:%M:%f"
	}
	text, _ := m.format(date + clock)
	return textValue(text)
}

func julianDay(args [][]byte) []byte {
	m, ok := momentOf(args)
	if !ok {
		return null
	}
	return floatValue(float64(m.millis+julianEpoch) / dayMillis)
}

func unixEpoch(args [][]byte) []byte {
	m, ok := momentOf(args)
	if !ok {
		return null
	}
	if m.exactly {
		return floatValue(float64(m.millis) / 1000)
	}
	seconds, _ := token.FloorDiv(m.millis, 1000)
	return msgpack.AppendInt(nil, seconds)
}

// strftime(format, time, …) writes a time as the format says.
func strftime(args [][]byte) []byte {
	format, ok := textOf(args[0])
	m, isTime := momentOf(args[1:])
	if !ok || !isTime {
		return null
	}
	text, ok := m.format(format)
	if !ok {
		return null
	}
	return textValue(text)
}

// format writes m; false if the format has a letter that means nothing.
func (m *moment) format(format string) (string, bool) {
	year, month, day, ofDay := m.civilDate()
	hour, second := ofDay/3_600_000, ofDay/1000%60
	dayOfYear := (m.millis-ofDay)/dayMillis - token.DaysFromCivil(year, 1, 1)
	half := "am"
	if hour >= 12 {
		half = "pm"
	}
	var b []byte
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b = append(b, format[i])
			continue
		}
		if i++; i == len(format) {
			return "", false
		}
		n, width, with, text := int64(0), 2, byte('0'), ""
		switch letter := format[i]; letter {
		case 'd':
			n = day
		case 'e':
			n, with = day, ' '
		case 'f':
			text, _ = m.format("%S.")
			text = string(padded([]byte(text), ofDay%1000, 3, '0'))
		case 'F':
			text, _ = m.format("%Y-%m-%d")
		case 'g', 'G', 'V': // by ISO 8601, a week belongs to the year of its Thursday
			thursday := (m.millis-ofDay)/dayMillis + 3 - (m.weekday()+6)%7
			n, _, _ = token.CivilFromDays(thursday)
			if letter == 'V' {
				n = (thursday-token.DaysFromCivil(n, 1, 1))/7 + 1
			} else if letter == 'G' {
				width = 4
			} else {
				n %= 100
			}
		case 'H':
			n = hour
		case 'I', 'l':
			if n = (hour+11)%12 + 1; letter == 'l' {
				with = ' '
			}
		case 'j':
			n, width = dayOfYear+1, 3
		case 'J':
			text = floatText(float64(m.millis+julianEpoch) / dayMillis)
		case 'k':
			n, with = hour, ' '
		case 'm':
			n = month
		case 'M':
			n = ofDay / 60_000 % 60
		case 'p':
			text = strings.ToUpper(half)
		case 'P':
			text = half
		case 'R':
			text, _ = m.format("%H:%M")
		case 's':
			if n, _ = token.FloorDiv(m.millis, 1000); m.exactly {
				text = strconv.FormatFloat(float64(m.millis)/1000, 'f', 3, 64)
			}
			width = 1
		case 'S':
			n = second
		case 'T':
			text, _ = m.format("%H:%M:%S")
		case 'u':
			n, width = (m.weekday()+6)%7+1, 1
		case 'U':
			n = (dayOfYear + 7 - m.weekday()) / 7
		case 'w':
			n, width = m.weekday(), 1
		case 'W':
			n = (dayOfYear + 7 - (m.weekday()+6)%7) / 7
		case 'Y':
			n, width = year, 4
		case '%':
			text = "%"
		default:
			return "", false
		}
		if text == "" {
			b = padded(b, n, width, with)
		}
		b = append(b, text...)
	}
	return string(b), true
}

// padded appends n in at least width characters.
func padded(b []byte, n int64, width int, with byte) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	text := strconv.FormatInt(n, 10)
	return append(spaced(b, with, width-len(text)), text...)
}
