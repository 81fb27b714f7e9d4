package engine

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An Update says how to change a document.
type Update struct {
	given UpdateContext
	steps []step
	depth int       // how deep the values that it puts into a document lie at most; 1000 and more: not known
	ofID  bool      // a step is about the _id
	rooms [2][]byte // Apply writes into them in turn; the second holds what it wrote last

	filters     []*arrayFilter
	replacement []byte // what the document becomes, before the steps; nil: what it is

	byName map[string]int // the steps, by the field that each is about; nil if they are few, or deeper; see applyAtOnce
}

// An UpdateContext is what an update means something different by.
type UpdateContext struct {
	Now       uint64 // what $currentDate sets, in milliseconds since 1970; 0: not known, and $currentDate is refused
	Inserting bool   // the update makes a new document, which $setOnInsert is for
	// Where is the condition that has found the documents: $ in a path stands for the
	// first element that it has matched. nil: there is none.
	Where *query.Filter
	// ArrayFilters are filters on elements, as MessagePack: {"x.price": {"$gt": 5}} is
	// what $[x] in a path stands for.
	ArrayFilters [][]byte
}

// A step does one thing to one path.
type step struct {
	*operator
	path  []string
	value []byte // the operand; of $rename, the value that is moved; of $currentDate, the date
	now   uint64 // of the UpdateContext

	position int                    // where in path $ is; 0: nowhere
	filters  *Update                // whose array filters the path names; nil: it has no $[]
	pulls    func(v []byte) bool    // $pull and $pullAll: whether an element goes
	where    *query.Filter          // $pull with a condition: what pulls asks
	push     *push                  // $push and $addToSet with $each
	bits     func(x, y int64) int64 // $bit
	from     []string               // $rename: the path whose value goes to path
}

// ParseUpdate reads an update, a MessagePack map of either fields to merge or
// operators. Both name fields by paths: {"address.city": "Oslo"} sets the city and
// keeps the rest of the address, and {address: {city: "Oslo"}} replaces the whole
// address.
//
//	$set {path: value}      $unset {path: anything}   $inc {path: number}
//	$min, $max {path: value}, by the total order over values
//	$mul {path: number}     $bit {path: {and: integer}}, with or or xor
//	$push {path: value}, {path: {$each: [values], $position, $sort, $slice}}
//	$addToSet {path: value}, {path: {$each: [values]}}    $pop {path: 1 or -1}
//	$pull {path: value or condition}    $pullAll {path: [values]}
//	$rename {path: new path}
//	$currentDate {path: true or {$type: "date"}}          $setOnInsert {path: value}
//
// No name in a path begins with $ but in what $unset removes and $rename takes
// away. As a part of a path, but for $rename, $ is the first element that the
// condition has matched, $[] each element, and $[x] each that meets the array filter
// of x.
//
// The Update borrows the bytes.
func ParseUpdate(update []byte, given UpdateContext) (*Update, error) {
	if msgpack.KindOf(update) != msgpack.Map {
		return nil, errors.New("an update must be an object of fields or of operators")
	}
	if _, err := msgpack.Validate(update, maxReplayDepth); err != nil {
		return nil, err
	}
	u := &Update{given: given}
	if err := u.readArrayFilters(); err != nil {
		return nil, err
	}
	plain, operators := 0, 0
	for key, value := range msgpack.Fields(update) {
		var err error
		if name := string(key); strings.HasPrefix(name, "$") {
			operators++
			err = u.addAll(name, value)
		} else {
			plain++
			err = u.add(set, name, value)
		}
		if err != nil {
			return nil, err
		}
	}
	if plain > 0 && operators > 0 {
		return nil, errors.New("an update has either fields or operators, not both")
	}
	if err := u.checkFiltersUsed(); err != nil {
		return nil, err
	}
	u.nameSteps()
	return u, nil
}

// minAtOnce is from how many steps on an update is applied in one pass. Each step by
// itself copies the document.
const minAtOnce = 16

// nameSteps sets byName if each step is about a field of its own, and none is the _id.
func (u *Update) nameSteps() {
	if len(u.steps) < minAtOnce || u.ofID {
		return
	}
	byName := make(map[string]int, len(u.steps))
	for i := range u.steps {
		s := &u.steps[i]
		if _, twice := byName[s.path[0]]; twice || len(s.path) > 1 || s.from != nil {
			return
		}
		byName[s.path[0]] = i
	}
	u.byName = byName
}

// applyAtOnce applies all steps in one pass over the document; false if that is not
// possible, and Apply has to do one after the other, which defines the result.
func (u *Update) applyAtOnce(doc []byte) (result []byte, ok bool) {
	count, pos := msgpack.Container(doc)
	header := doc[:pos]
	body := u.rooms[0][:0]
	body = slices.Grow(body, len(doc)+16)
	done := make([]bool, len(u.steps))
	kept := 0
	for range count {
		start := pos
		pos += msgpack.Skip(doc[pos:])
		value := pos
		pos += msgpack.Skip(doc[pos:])
		n, known := u.byName[string(msgpack.Str(doc[start:value]))]
		if !known {
			body = append(body, doc[start:pos]...)
			kept++
			continue
		}
		if done[n] {
			return nil, false // a field twice
		}
		done[n] = true
		s := &u.steps[n]
		fresh, err := s.apply(s, doc[value:pos])
		if err != nil {
			return nil, false
		}
		if fresh != nil {
			body = append(append(body, doc[start:value]...), fresh...)
			kept++
		}
	}
	for i := range u.steps {
		if done[i] {
			continue
		}
		s := &u.steps[i]
		fresh, err := s.apply(s, nil)
		if err != nil {
			return nil, false
		}
		if fresh != nil {
			body = append(msgpack.AppendString(body, s.path[0]), fresh...)
			kept++
		}
	}
	u.rooms[0] = body
	if kept != count {
		header = msgpack.AppendMap(nil, kept)
	}
	result = append(append(u.rooms[1][:0], header...), body...)
	u.rooms[1] = result
	return result, true
}

func (u *Update) addAll(name string, fields []byte) error {
	o, err := operatorNamed(name)
	if err != nil {
		return err
	}
	if msgpack.KindOf(fields) != msgpack.Map {
		return errors.New(name + " expects an object of paths, not " + describe(fields))
	}
	for path, value := range msgpack.Fields(fields) {
		if err := u.add(o, string(path), value); err != nil {
			return err
		}
		if o == setOnInsert && !u.given.Inserting {
			u.steps = u.steps[:len(u.steps)-1] // what is wrong with it is told all the same
		}
	}
	return nil
}

func (u *Update) add(o *operator, path string, value []byte) (err error) {
	s := step{operator: o, value: value, now: u.given.Now}
	if s.path, err = splitParts(path); err == nil && !o.takesAway {
		err = checkTarget(s.path)
	}
	if err != nil {
		return errors.New(o.name + ": " + err.Error())
	}
	if o != rename {
		if err := u.readPositions(&s); err != nil {
			return errors.New(o.name + " of " + path + ": " + err.Error())
		}
	}
	if o.check != nil {
		if err := o.check(&s); err != nil {
			return errors.New(o.name + " of " + path + ": " + err.Error())
		}
	}
	u.steps = append(u.steps, s)
	u.ofID = u.ofID || s.path[0] == "_id" || s.from != nil && s.from[0] == "_id"
	u.depth = max(u.depth, s.depth())
	return nil
}

// depth returns how many levels of maps and arrays the step may make, or
// maxReplayDepth if that is not known.
func (s *step) depth() int {
	kind := msgpack.KindOf(s.value)
	if s.puts == putsAny || s.puts == putsValue && (kind == msgpack.Array || kind == msgpack.Map) {
		return maxReplayDepth
	}
	return len(s.path)
}

// splitPath takes apart a path that leads to one place.
func splitPath(path string) ([]string, error) {
	parts, err := splitParts(path)
	if err == nil {
		err = checkOnePlace(parts)
	}
	return parts, err
}

func checkOnePlace(path []string) error {
	for _, p := range path {
		if isPosition(p) {
			return errors.New("the path " + strconv.Quote(strings.Join(path, ".")) + " has " + p + "; here, an element is reached by its position alone, as in a.0")
		}
	}
	return nil
}

func splitParts(path string) ([]string, error) {
	if why := query.CheckPath(path); why != "" {
		return nil, errors.New(why)
	}
	parts := query.SplitPath(path)
	for _, p := range parts {
		if p == "" {
			return nil, errors.New("the path " + strconv.Quote(path) + " has an empty part")
		}
		if p == "__proto__" {
			return nil, errors.New("a field cannot be named __proto__")
		}
	}
	return parts, nil
}

// checkTarget refuses names that would read as operators where they are put.
func checkTarget(path []string) error {
	for _, name := range path {
		if strings.HasPrefix(name, "$") && !isPosition(name) {
			return errors.New("a field cannot be named " + name + ": names that begin with $ are operators")
		}
	}
	return nil
}

// Apply returns the document that the update makes of doc, borrowed until the next
// call of Apply; doc itself if nothing changes. The _id cannot change, but a new
// document may get one.
func (u *Update) Apply(doc []byte) ([]byte, error) {
	if u.byName != nil {
		if result, ok := u.applyAtOnce(doc); ok {
			if invariants {
				slow := Update{given: u.given, steps: u.steps}
				if want, err := slow.Apply(doc); err != nil || !msgpack.Equal(want, result) {
					panic("engine: an update in one pass went wrong")
				}
			}
			return result, nil
		}
	}
	result := doc
	if u.replacement != nil {
		result = u.replaced(doc)
	}
	for i := range u.steps {
		s := &u.steps[i]
		var err error
		if s.from != nil {
			if s.value = bytes.Clone(lookupPath(result, s.from)); s.value == nil {
				continue
			}
			if crossesArray(result, s.from) || crossesArray(result, s.path) {
				return nil, errors.New("$rename of " + strings.Join(s.from, ".") + ": neither the old nor the new path may lead into an array")
			}
			remove := step{operator: unset, path: s.from}
			if result, err = u.edit(&remove, result); err != nil {
				return nil, err
			}
		}
		target := s
		if s.position > 0 {
			target, err = s.placed(u.given.Where, doc)
		}
		if err == nil {
			result, err = u.edit(target, result)
		}
		if err != nil {
			return nil, errors.New(s.name + " of " + strings.Join(s.path, ".") + ": " + err.Error())
		}
	}
	if !u.ofID {
		return result, nil
	}
	before, after := msgpack.Lookup(doc, "_id"), msgpack.Lookup(result, "_id")
	if before == nil && u.given.Inserting {
		return result, nil
	}
	if !msgpack.Equal(before, after) {
		return nil, errors.New("the _id of a document cannot change")
	}
	if !bytes.Equal(before, after) { // 1.0 equals 1, but a stored _id is an integer
		start, end := msgpack.Find(result, "_id")
		result = splice(nil, result, start, end, before)
		after = before
	}
	return idFirst(result, after), nil // $rename may have moved it to the end
}

// edit returns doc with the step applied. If doc lies in one room, the result lies
// in the other: a new slice for each step took a third of an update's time.
func (u *Update) edit(s *step, doc []byte) ([]byte, error) {
	result, err := s.edit(doc, s.path, u.rooms[0][:0])
	if err == nil && &result[0] != &doc[0] {
		u.rooms[0], u.rooms[1] = u.rooms[1], result
	}
	return result, err
}

// lookupPath returns the value at path. A part of path that lies in an array must
// be a position.
func lookupPath(v []byte, path []string) []byte {
	for _, name := range path {
		switch msgpack.KindOf(v) {
		case msgpack.Map:
			v = msgpack.Lookup(v, name)
		case msgpack.Array:
			start, end, ok := elementAt(v, name)
			if !ok {
				return nil
			}
			v = v[start:end]
		default:
			return nil
		}
	}
	return v
}

// crossesArray reports whether path leads into an array.
func crossesArray(v []byte, path []string) bool {
	for _, name := range path {
		if msgpack.KindOf(v) == msgpack.Array {
			return true
		}
		v = msgpack.Lookup(v, name)
	}
	return false
}

// edit returns container, a map or an array, with the step applied at path below
// it. If that changes it, the result is appended to room.
func (s *step) edit(container []byte, path []string, room []byte) ([]byte, error) {
	if s.filters != nil && isPosition(path[0]) {
		return s.editEach(container, path, room)
	}
	kind := msgpack.KindOf(container)
	start, end, found := 0, 0, false
	switch kind {
	case msgpack.Map:
		start, end = msgpack.Find(container, path[0])
		found = end > 0
	case msgpack.Array:
		if _, err := strconv.ParseUint(path[0], 10, 31); err != nil {
			return nil, errors.New(strconv.Quote(path[0]) + " is no position in an array")
		}
		start, end, found = elementAt(container, path[0])
	default:
		return nil, errors.New(strconv.Quote(path[0]) + " cannot be a field of " + describe(container))
	}
	var old []byte
	if found {
		old = container[start:end]
	}
	var fresh []byte
	var err error
	switch {
	case len(path) == 1:
		fresh, err = s.apply(s, old)
	case found:
		fresh, err = s.edit(old, path[1:], nil)
	case isPosition(path[1]):
		err = errors.New(strconv.Quote(path[0]) + " is missing, and " + path[1] + " stands for elements of an array")
	default:
		// A value below a missing field makes the maps on the way to it. Removing
		// one there must not.
		if fresh, err = s.edit(msgpack.AppendMap(nil, 0), path[1:], nil); err == nil && len(fresh) == 1 {
			fresh = nil
		}
	}
	switch {
	case err != nil:
		return nil, err
	case found && fresh == nil && kind == msgpack.Array:
		return splice(room, container, start, end, msgpack.AppendNil(nil)), nil // the other elements keep their positions
	case found && fresh == nil:
		return withoutField(room, container, start, end), nil
	case found:
		return splice(room, container, start, end, fresh), nil
	case fresh == nil:
		return container, nil
	case kind == msgpack.Array:
		return extended(room, container, path[0], fresh)
	}
	return withField(room, container, path[0], fresh), nil
}

// elementAt returns where in an array the element at a position lies.
func elementAt(array []byte, position string) (start, end int, found bool) {
	i, err := strconv.ParseUint(position, 10, 31)
	count, pos := msgpack.Container(array)
	if err != nil || i >= uint64(count) {
		return 0, 0, false
	}
	for ; i > 0; i-- {
		pos += msgpack.Skip(array[pos:])
	}
	return pos, pos + msgpack.Skip(array[pos:]), true
}

// splice appends b to room, with middle instead of the bytes from start to end.
func splice(room, b []byte, start, end int, middle []byte) []byte {
	out := slices.Grow(room, len(b)-(end-start)+len(middle))
	return append(append(append(out, b[:start]...), middle...), b[end:]...)
}

func withField(room, m []byte, name string, value []byte) []byte {
	count, header := msgpack.Container(m)
	out := msgpack.AppendMap(slices.Grow(room, len(m)+len(name)+len(value)+8), count+1)
	out = msgpack.AppendString(append(out, m[header:]...), name)
	return append(out, value...)
}

// withoutField removes the field whose value lies from start to end.
func withoutField(room, m []byte, start, end int) []byte {
	count, header := msgpack.Container(m)
	key := header
	for { // the key ends where the value starts
		next := key + msgpack.Skip(m[key:])
		if next == start {
			break
		}
		key = next + msgpack.Skip(m[next:])
	}
	out := msgpack.AppendMap(slices.Grow(room, len(m)), count-1)
	return append(append(out, m[header:key]...), m[end:]...)
}

// extended puts value at a position after the end of an array, and nulls in
// between.
func extended(room, array []byte, position string, value []byte) ([]byte, error) {
	const maxNulls = 10_000 // a typing mistake should not fill the memory
	i, _ := strconv.ParseUint(position, 10, 31)
	count, header := msgpack.Container(array)
	if int(i) > count+maxNulls {
		return nil, errors.New("position " + position + " is more than 10000 after the end of the array")
	}
	out := msgpack.AppendArray(slices.Grow(room, len(array)+len(value)+8), int(i)+1)
	out = append(out, array[header:]...)
	for ; count < int(i); count++ {
		out = msgpack.AppendNil(out)
	}
	return append(out, value...), nil
}
