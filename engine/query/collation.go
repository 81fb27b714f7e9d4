package query

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A Collation says which texts are the same, and in which order they are. The zero
// Collation is that of values: by code points.
//
// A path may end in one: "name\\strength2". It reaches, in place of texts, also in arrays
// and maps, keys that compare as their texts do by the collation. So an index or a column
// on such a path is one by the collation, and nothing else has to know of it. As in other
// paths, a backslash that belongs to a name is doubled.
type Collation struct {
	// Strength is 1 where case and accents make no difference, 2 where case makes none, and
	// 3 where both do, but only between texts that are the same otherwise.
	Strength int
	Numeric  bool // digits compare as the numbers that they write: "a2" before "a10"
}

const (
	collationMark = `\strength`
	numericMark   = "numeric"
)

// ParseCollation reads what String returns: "strength2numeric".
func ParseCollation(text string) (c Collation, ok bool) {
	text, c.Numeric = strings.CutSuffix(text, numericMark)
	strength, ok := strings.CutPrefix(text, collationMark[1:])
	c.Strength, _ = strconv.Atoi(strength)
	return c, ok && len(strength) == 1 && c.Strength >= 1 && c.Strength <= 3
}

func (c Collation) String() string {
	text := collationMark[1:] + strconv.Itoa(c.Strength)
	if c.Numeric {
		text += numericMark
	}
	return text
}

// Path returns the path that reaches the keys of what path reaches, which is text as
// ParsePath takes it: for indexes, sorts, groups and distinct values.
func (c Collation) Path(path string) string {
	if c.Strength == 0 {
		return path
	}
	return path + `\` + c.String()
}

// Where returns a condition that Parse reads as where, but whose texts compare by c.
func (c Collation) Where(where []byte) []byte {
	if c.Strength == 0 {
		return where
	}
	b := msgpack.AppendString(msgpack.AppendArray(nil, 3), "collate")
	return append(msgpack.AppendString(b, c.String()), where...)
}

// cutCollation takes the collation off a path's text, if it ends in one.
func cutCollation(text string) (bare string, c Collation) {
	at := strings.LastIndex(text, collationMark)
	if at < 0 || (at-len(strings.TrimRight(text[:at], `\`)))%2 == 1 { // the backslash is doubled
		return text, c
	}
	if c, ok := ParseCollation(text[at+1:]); ok {
		return text[:at], c
	}
	return text, c
}

// with returns the path that reaches the keys of what p reaches.
func (c Collation) with(p Path) Path {
	p.text += `\` + c.String()
	p.collation = c
	return p
}

// of returns a path and operands by the collation, for the operators that compare whole
// values. The others are as they are: patterns, the starts and parts of texts, types.
func (c Collation) of(o *Operator, p Path, given Operands) (Path, Operands) {
	if c.Strength == 0 || p.collation.Strength > 0 || o.Op < OpEq || o.Op > OpIn { // a path that has one reaches keys
		return p, given
	}
	given.Value, given.High = c.Key(given.Value), c.Key(given.High)
	values := make([][]byte, len(given.Values))
	for i, v := range given.Values {
		values[i] = c.Key(v)
	}
	given.Values = values
	return c.with(p), given
}

// leaf returns the condition of an operator, by the collation.
func (c Collation) leaf(o *Operator, p Path, given Operands) (*Filter, error) {
	value := given.Value
	p, given = c.of(o, p, given)
	f, err := o.Of(p, given)
	if err == nil && f.Op == OpEq && p.IsCollated() {
		f.given = otherThan(f.Value, value)
	}
	return f, err
}

// Key returns the value that stands for v: another text for a text, also in arrays and
// maps. What holds no text is returned as it is.
func (c Collation) Key(v []byte) []byte {
	if c.Strength == 0 || len(v) == 0 {
		return v
	}
	switch kind := msgpack.KindOf(v); kind {
	case msgpack.String:
		return msgpack.AppendString(nil, c.textKey(msgpack.Str(v)))
	case msgpack.Array, msgpack.Map:
		count, header := msgpack.Container(v)
		key := append(make([]byte, 0, len(v)), v[:header]...)
		rest := v[header:]
		for ; count > 0; count-- {
			if kind == msgpack.Map {
				n := msgpack.Skip(rest)
				key, rest = append(key, rest[:n]...), rest[n:]
			}
			n := msgpack.Skip(rest)
			key, rest = append(key, c.Key(rest[:n])...), rest[n:]
		}
		return key
	}
	return v
}

// textKey returns up to three levels of a text with zeros between them: the base letters;
// with accents, if there are some; with case. A level that is like the one before is
// empty, so that most keys are one level.
func (c Collation) textKey(text []byte) []byte {
	if c.Numeric {
		text = numberKeys(text)
	}
	folded, base := make([]byte, 0, len(text)), make([]byte, 0, len(text)+4)
	for _, r := range string(text) {
		r = foldCase(r)
		folded = utf8.AppendRune(folded, r)
		if b := baseOf(r); b != 0 {
			base = utf8.AppendRune(base, b)
		}
	}
	if c.Strength == 1 {
		return base
	}
	levels := []string{string(base), string(folded), string(text)}
	for i, level := range levels[1:c.Strength] {
		if level != levels[i] || c.Strength == 3 {
			base = append(append(base, 0), level...)
		}
	}
	return base
}

// foldCase returns the same rune for all that differ in case alone.
func foldCase(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return unicode.ToLower(least)
}

// baseOf returns the letter of a folded rune without its accents; 0 for an accent.
func baseOf(r rune) rune {
	if r < 0xc0 {
		return r
	}
	for _, t := range bases {
		if at := int(r) - int(t.from); at >= 0 && at < len(t.letters) {
			return t.letters[at]
		}
	}
	if unicode.Is(unicode.Mn, r) {
		return 0
	}
	return r
}

// bases are the letters without accents of Latin, Greek and Cyrillic: of each rune the
// first of its canonical decomposition, in lower case.
var bases = [...]struct {
	from    rune
	letters []rune
}{
	{0xc0, []rune("aaaaaaæceeeeiiiiðnooooo×øuuuuyþßaaaaaaæceeeeiiiiðnooooo÷øuuuuyþyaaaaaaccccccccddđđeeeeeeeeeegggggggghhħħiiiiiiiiiıĳĳjjkkĸllllllŀŀłłnnnnnnŉŋŋooooooœœrrrrrrssssssssttttŧŧuuuuuuuuuuuuwwyyyzzzzzzſƀɓƃƃƅƅɔƈƈɖɗƌƌƍǝəɛƒƒɠɣƕɩɨƙƙƚƛɯɲƞɵooƣƣƥƥʀƨƨʃƪƫƭƭʈuuʊʋƴƴƶƶʒƹƹƺƻƽƽƾƿǀǁǂǃǆǆǆǉǉǉǌǌǌaaiioouuuuuuuuuuǝaaaaææǥǥggkkooooʒʒjǳǳǳggƕƿnnaaææøøaaaaeeeeiiiioooorrrruuuussttȝȝhhƞȡȣȣȥȥaaeeooooooooyyȴȵȶȷȸȹⱥȼȼƚⱦȿɀɂɂƀʉʌɇɇɉɉɋɋɍɍɏɏ")},
	{0x386, []rune("α·εηι΋ο΍υωιαβγδεζηθικλμνξοπρ΢στυφχψωιυαεηιυαβγδεζηθικλμνξοπρςστυφχψωιυουω")},
	{0x400, []rune("ееђгєѕііјљњћкиуџабвгдежзииклмнопрстуфхцчшщъыьэюяабвгдежзииклмнопрстуфхцчшщъыьэюяееђгєѕііјљњћкиуџ")},
	{0x1e00, []rune("aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyẚſẜẝßẟaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyyỻỻỽỽỿỿ")},
}

// numberKeys returns text with each run of digits replaced by a key that compares as the
// number does: how many digits it has, and these. A digit remains the first of it.
func numberKeys(text []byte) []byte {
	key := make([]byte, 0, len(text)+4)
	for i := 0; i < len(text); {
		if text[i] < '0' || text[i] > '9' {
			key = append(key, text[i])
			i++
			continue
		}
		end := i
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		for i < end-1 && text[i] == '0' {
			i++
		}
		length := end - i - 1
		for ; length >= 9; length -= 9 {
			key = append(key, '9')
		}
		key = append(append(key, '0'+byte(length)), text[i:end]...)
		i = end
	}
	return key
}
