package engine_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
)

func put(t *testing.T, db *engine.DB, collection string, docs ...M) {
	t.Helper()
	for _, d := range docs {
		if _, err := db.Insert(collection, encode(t, d), false); err != nil {
			t.Fatalf("%v into %s: %v", d, collection, err)
		}
	}
}

func relate(t *testing.T, db *engine.DB, all ...engine.Relationship) {
	t.Helper()
	for _, r := range all {
		if err := db.AddRelationship(r); err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
	}
}

// documentsOf returns the documents that a query finds in a collection.
func documentsOf(t *testing.T, db *engine.DB, collection string, q engine.Query) []any {
	t.Helper()
	result, err := db.Find(collection, q)
	if err != nil {
		t.Fatal(err)
	}
	bytes, _, left := result.Next(nil, 1<<30)
	if left != 0 {
		t.Fatalf("%d documents are left", left)
	}
	return decode(t, bytes)
}

func wantError(t *testing.T, err error, code engine.Code, says string) {
	t.Helper()
	if engine.CodeOf(err) != code || err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s with %q", err, code, says)
	}
}

// blog is two users, three posts of which one is nobody's, and tags.
func blog(t *testing.T, onDelete engine.OnDelete) *engine.DB {
	db := newDB(t, engine.Options{})
	relate(t, db,
		engine.Relationship{Type: engine.OneToMany, From: "users", To: "posts", ForeignKey: "user_id", OnDelete: onDelete},
		engine.Relationship{Name: "author", Type: engine.ManyToOne, From: "posts", To: "users", ForeignKey: "user_id"},
		engine.Relationship{Name: "tags", Type: engine.ManyToMany, From: "posts", To: "tags", ForeignKey: "tags", OnDelete: onDelete},
		engine.Relationship{Name: "profile", Type: engine.OneToOne, From: "users", To: "profiles", ForeignKey: "of.user", OnDelete: onDelete},
	)
	put(t, db, "users", M{"name": "Ada"}, M{"name": "Bob"})
	put(t, db, "tags", M{"_id": "go"}, M{"_id": "wasm"})
	put(t, db, "posts", M{"user_id": 1, "tags": []any{"wasm", "go"}}, M{"user_id": 2, "tags": []any{}}, M{"user_id": 1.0, "tags": []any{"gone", "go"}}, M{"user_id": nil})
	put(t, db, "profiles", M{"of": M{"user": 1}, "text": "hi"})
	return db
}

func TestPopulate(t *testing.T) {
	db := blog(t, engine.KeepChildren)
	for _, tt := range []struct {
		in   string
		q    engine.Query
		want string
	}{
		{"users", engine.Query{Populate: []string{"posts.tags", "profile"}, Fields: []string{"name"}}, "[map[_id:1 name:Ada posts:[" +
			"map[_id:1 tags:[map[_id:wasm] map[_id:go]] user_id:1] map[_id:3 tags:[map[_id:go]] user_id:1]] profile:map[_id:1 of:map[user:1] text:hi]] " +
			"map[_id:2 name:Bob posts:[map[_id:2 tags:[] user_id:2]] profile:<nil>]]"},
		{"posts", engine.Query{Populate: []string{"author.profile", "author"}, Fields: []string{"author"}, Skip: 2}, "[" +
			"map[_id:3 author:map[_id:1 name:Ada profile:map[_id:1 of:map[user:1] text:hi]]] map[_id:4 author:<nil>]]"},
		{"posts", engine.Query{Populate: []string{"author.posts.author"}, Limit: 1, Fields: []string{"x"}}, "[map[_id:1 author:map[_id:1 name:Ada posts:[" +
			"map[_id:1 author:map[_id:1 name:Ada] tags:[wasm go] user_id:1] map[_id:3 author:map[_id:1 name:Ada] tags:[gone go] user_id:1]]]]]"},
	} {
		if got := fmt.Sprint(documentsOf(t, db, tt.in, tt.q)); got != tt.want {
			t.Errorf("%v of %s gives\n%s, want\n%s", tt.q.Populate, tt.in, got, tt.want)
		}
	}
	for _, path := range []string{"", "nothing", "posts.", "posts.posts", ".", strings.Repeat("posts.author.", 9) + "posts"} {
		_, err := db.Find("users", engine.Query{Populate: []string{path}})
		wantError(t, err, engine.CodeInvalid, "populate")
	}
	if _, err := db.Find("nobody", engine.Query{Populate: []string{"posts"}}); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("a collection without relationships gives %v", err)
	}
}

// TestPopulate_fewAndMany: what is put into one document alone, found by its id in the
// index, is what is put into it among all, found by a pass over the index.
func TestPopulate_fewAndMany(t *testing.T) {
	rng := randomly(t)
	db := newDB(t, engine.Options{})
	relate(t, db,
		engine.Relationship{Name: "many", Type: engine.OneToMany, From: "p", To: "c", ForeignKey: "k"},
		engine.Relationship{Name: "one", Type: engine.OneToOne, From: "p", To: "c", ForeignKey: "k"},
		engine.Relationship{Name: "parent", Type: engine.ManyToOne, From: "c", To: "p", ForeignKey: "k"},
		engine.Relationship{Name: "parents", Type: engine.ManyToMany, From: "c", To: "p", ForeignKey: "k"},
	)
	const parents, children = 60, 3000
	longText := strings.Repeat("long", 10)
	id := func() any {
		switch n := rng.IntN(parents + 5); { // the last five are of nobody
		case n%3 == 0:
			return longText + fmt.Sprint(n)
		case n%3 == 1 && rng.IntN(2) == 0:
			return float64(n)
		default:
			return n
		}
	}
	for n := range parents {
		d := M{"_id": n}
		if n%3 == 0 {
			d["_id"] = longText + fmt.Sprint(n)
		}
		put(t, db, "p", d)
	}
	for range children {
		switch rng.IntN(6) {
		case 0:
			put(t, db, "c", M{})
		case 1:
			put(t, db, "c", M{"k": nil})
		case 2:
			one := id()
			put(t, db, "c", M{"k": []any{one, id(), one, true}})
		default:
			put(t, db, "c", M{"k": id()})
		}
	}
	if _, err := db.Remove("c", where(t, "_id < 300")); err != nil {
		t.Fatal(err)
	}
	for _, paths := range [][]string{{"many", "one"}, {"many.parents", "one.parent"}} {
		all, left := documentsOf(t, db, "p", engine.Query{Populate: paths}), 0
		for i, want := range all {
			alone := documentsOf(t, db, "p", engine.Query{Populate: paths, Skip: i, Limit: 1})
			if !reflect.DeepEqual(alone, []any{want}) {
				t.Fatalf("%v: alone\n%v\namong all\n%v", paths, alone, want)
			}
			left += len(want.(map[string]any)["many"].([]any))
		}
		if left < children/2 {
			t.Errorf("%v puts only %d documents", paths, left)
		}
	}
}

// TestPopulate_bounded: paths that go back and forth would multiply documents.
func TestPopulate_bounded(t *testing.T) {
	db := blog(t, engine.KeepChildren)
	for range 200 {
		put(t, db, "posts", M{"user_id": 1})
	}
	_, err := db.Find("users", engine.Query{Populate: []string{"posts.author.posts.author.posts"}})
	wantError(t, err, engine.CodeInvalid, "more than 1000000 documents into users/1")
}

func TestRemove_onDelete(t *testing.T) {
	for _, tt := range []struct {
		onDelete engine.OnDelete
		left     string // of posts, then of profiles
		err      string
	}{
		{engine.KeepChildren, "[map[_id:1 tags:[wasm go] user_id:1] map[_id:2 tags:[] user_id:2] map[_id:3 tags:[gone go] user_id:1] map[_id:4 user_id:<nil>]]", ""},
		{engine.Restrict, "[map[_id:1 tags:[wasm go] user_id:1] map[_id:2 tags:[] user_id:2] map[_id:3 tags:[gone go] user_id:1] map[_id:4 user_id:<nil>]]", "posts/1 refers to it"},
		{engine.Cascade, "[map[_id:2 tags:[] user_id:2] map[_id:4 user_id:<nil>]]", ""},
		{engine.SetNull, "[map[_id:1 tags:[wasm] user_id:<nil>] map[_id:2 tags:[] user_id:2] map[_id:3 tags:[gone] user_id:<nil>] map[_id:4 user_id:<nil>]]", ""},
	} {
		t.Run(string(tt.onDelete), func(t *testing.T) {
			db := blog(t, tt.onDelete)
			db.Cut(0)
			db.Confirm()
			before := db.Dump()
			for _, work := range []func() error{
				func() error { _, err := db.Remove("tags", where(t, "_id = 'go'")); return err },
				func() error { _, err := db.Remove("users", where(t, "_id = 1")); return err },
			} {
				if err := work(); tt.err == "" && err != nil || tt.err != "" && !errors.Is(err, engine.CodeRelationship) {
					t.Fatal(err)
				} else if tt.err != "" {
					wantError(t, err, engine.CodeRelationship, tt.err)
				}
			}
			if got := fmt.Sprint(documentsOf(t, db, "posts", engine.Query{})); got != tt.left {
				t.Errorf("the posts left are\n%s, want\n%s", got, tt.left)
			}
			profiles := map[engine.OnDelete]string{engine.Cascade: "[]", engine.SetNull: "[map[_id:1 of:map[user:<nil>] text:hi]]"}[tt.onDelete]
			if got := fmt.Sprint(documentsOf(t, db, "profiles", engine.Query{})); profiles != "" && got != profiles {
				t.Errorf("the profiles left are %s, want %s", got, profiles)
			}
			db.Rollback()
			if !reflect.DeepEqual(db.Dump(), before) {
				t.Error("rolling back left something behind")
			}
			// Clear and DropCollection do the same.
			err := db.Clear("users")
			if (tt.err == "") != (err == nil) {
				t.Errorf("clear gave %v", err)
			}
			db.Rollback()
			if err = db.DropCollection("users"); (tt.err == "") != (err == nil) {
				t.Errorf("dropCollection gave %v", err)
			}
			if want := map[bool]int{true: 1, false: 4}[err == nil]; len(db.Relationships()) != want {
				t.Errorf("%d relationships are left, want %d: %v", len(db.Relationships()), want, db.Relationships())
			}
			db.Rollback()
			if !reflect.DeepEqual(db.Dump(), before) || len(db.Relationships()) != 4 {
				t.Error("rolling back a dropped collection left something behind")
			}
		})
	}
}

// TestCascade_chain: a chain as long as a collection, closed to a circle.
func TestCascade_chain(t *testing.T) {
	db := newDB(t, engine.Options{})
	n := 20_000
	if runtime.GOARCH == "wasm" {
		n = 2_000
	}
	relate(t, db, engine.Relationship{Name: "next", Type: engine.OneToMany, From: "nodes", To: "nodes", ForeignKey: "before", OnDelete: engine.Cascade, Enforce: true})
	var docs []byte
	for i := range n {
		docs = append(docs, encode(t, M{"_id": i + 1, "before": (i+n-1)%n + 1})...)
	}
	if _, err := db.Insert("nodes", docs, false); err != nil {
		t.Fatal(err)
	}
	if removed, err := db.Remove("nodes", where(t, "_id = 7")); removed != 1 || err != nil {
		t.Fatalf("removed %d, %v", removed, err)
	}
	if left, _ := db.Count("nodes", nil, -1); left != 0 {
		t.Errorf("%d nodes are left", left)
	}
	db.Rollback()
}

// TestRemove_setNullOfMany: a document that holds many ids is changed once, and not once for each.
func TestRemove_setNullOfMany(t *testing.T) {
	db := newDB(t, engine.Options{})
	n := 20_000
	if runtime.GOARCH == "wasm" {
		n = 2_000
	}
	relate(t, db, engine.Relationship{Name: "tags", Type: engine.ManyToMany, From: "posts", To: "tags", ForeignKey: "tags", OnDelete: engine.SetNull, Enforce: true})
	var docs []byte
	ids := make([]any, n)
	for i := range n {
		ids[i] = i
		docs = append(docs, encode(t, M{"_id": i})...)
	}
	if _, err := db.Insert("tags", docs, false); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Insert("posts", encode(t, M{"_id": 1, "tags": ids}), false); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if removed, err := db.Remove("tags", where(t, "_id < "+strconv.Itoa(n-2))); removed != n-2 || err != nil {
		t.Fatalf("removed %d, %v", removed, err)
	}
	if took := time.Since(start); took > 10*time.Second { // it takes 50 ms; one by one, minutes
		t.Errorf("it took %v", took)
	}
	if count, _ := db.Count("posts", where(t, "tags = ["+strconv.Itoa(n-2)+", "+strconv.Itoa(n-1)+"]"), -1); count != 1 {
		t.Error("the post has other tags than those that are left")
	}
}

func TestEnforce(t *testing.T) {
	db := newDB(t, engine.Options{})
	author := engine.Relationship{Name: "author", Type: engine.ManyToOne, From: "posts", To: "users", ForeignKey: "user", Enforce: true}
	put(t, db, "posts", M{"_id": "old", "user": 9})
	wantError(t, db.AddRelationship(author), engine.CodeRelationship, "posts/old")
	if len(db.Relationships()) != 0 || len(db.Collections()) != 1 {
		t.Fatal("a relationship that was refused left something behind")
	}
	put(t, db, "users", M{"_id": 9}, M{"_id": 10})
	relate(t, db, author, author)
	relate(t, db, engine.Relationship{Type: engine.OneToOne, From: "users", To: "desks", ForeignKey: "user", Enforce: true})
	_, err := db.Insert("posts", encode(t, M{"_id": "p", "user": "x"}), false)
	wantError(t, err, engine.CodeRelationship, `insert posts/p: its user is "x"`)
	_, err = db.Insert("posts", encode(t, M{"_id": "p", "user": M{"a": 1}}), true)
	wantError(t, err, engine.CodeRelationship, "posts/p")
	_, err = db.Update("posts", encode(t, M{"user": 11}), nil)
	wantError(t, err, engine.CodeRelationship, "posts/old")
	_, err = db.Remove("users", where(t, "_id = 9"))
	wantError(t, err, engine.CodeRelationship, "posts/old")
	wantError(t, db.DropCollection("users"), engine.CodeRelationship, "posts/old")
	put(t, db, "desks", M{"_id": 1, "user": 9}, M{"_id": 2, "user": nil}, M{"_id": 3})
	_, err = db.Insert("desks", encode(t, M{"_id": 4, "user": 9}), false)
	wantError(t, err, engine.CodeRelationship, "desks/1")
	_, err = db.Update("desks", encode(t, M{"user": 10}), where(t, "_id in (2, 3)"))
	wantError(t, err, engine.CodeRelationship, "one to one")

	// In a savepoint it holds for the state at the release.
	db.Savepoint()
	put(t, db, "posts", M{"_id": "early", "user": 12})
	put(t, db, "users", M{"_id": 12})
	if err := db.ReleaseSavepoint(); err != nil {
		t.Error(err)
	}
	db.Savepoint()
	if _, err := db.Remove("users", where(t, "_id = 12")); err != nil {
		t.Fatal(err)
	}
	wantError(t, db.ReleaseSavepoint(), engine.CodeRelationship, "posts/early")
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(); err != nil {
		t.Error(err)
	}
}

func TestRelationship_arguments(t *testing.T) {
	good := engine.Relationship{Name: "n", Type: engine.OneToMany, From: "a", To: "b", ForeignKey: "k"}
	for _, tt := range []struct {
		change func(r *engine.Relationship)
		says   string
	}{
		{func(r *engine.Relationship) { r.Type = "many" }, "type"},
		{func(r *engine.Relationship) { r.Type = "" }, "type"},
		{func(r *engine.Relationship) { r.OnDelete = "explode" }, "onDelete"},
		{func(r *engine.Relationship) { r.From = "" }, "from and to"},
		{func(r *engine.Relationship) { r.To, r.Name = "", "" }, "from and to"},
		{func(r *engine.Relationship) { r.To = "_catalog" }, "reserved"},
		{func(r *engine.Relationship) { r.ForeignKey = "" }, "foreignKey"},
		{func(r *engine.Relationship) { r.ForeignKey = strings.Repeat("a.", 2000) }, "foreignKey"},
		{func(r *engine.Relationship) { r.ForeignKey, r.OnDelete = "_id", engine.SetNull }, "onDelete"},
		{func(r *engine.Relationship) { r.Name = "a.b" }, "name"},
		{func(r *engine.Relationship) { r.Name = "$a" }, "name"},
		{func(r *engine.Relationship) { r.Name = "_id" }, "name"},
		{func(r *engine.Relationship) { r.Name = "\xff" }, "name"},
		{func(r *engine.Relationship) { r.Name = strings.Repeat("n", 256) }, "name"},
	} {
		db := newDB(t, engine.Options{})
		r := good
		tt.change(&r)
		wantError(t, db.AddRelationship(r), engine.CodeInvalid, tt.says)
		if len(db.Collections()) > 0 {
			t.Errorf("%+v left something behind", r)
		}
	}
	db := newDB(t, engine.Options{})
	relate(t, db, good, good)
	other := good
	other.To = "c"
	wantError(t, db.AddRelationship(other), engine.CodeInvalid, "another relationship of this name")
	other.From = "c" // a collection of its own
	relate(t, db, other)
	wantError(t, db.RemoveRelationship("n"), engine.CodeInvalid, "a.n or c.n")
	wantError(t, db.RemoveRelationship("a.x"), engine.CodeNotFound, "")
	if err := db.RemoveRelationship("a.n"); err != nil || len(db.Relationships()) != 1 {
		t.Errorf("%v, %v", err, db.Relationships())
	}
	if err := db.RemoveRelationship("n"); err != nil || len(db.Relationships()) != 0 {
		t.Errorf("%v, %v", err, db.Relationships())
	}
	for i := range 64 {
		good.Name = fmt.Sprint("r", i)
		relate(t, db, good)
	}
	good.Name = "more"
	wantError(t, db.AddRelationship(good), engine.CodeInvalid, "64")
}

// TestRelationship_index: the index on a foreign key is made, used, and goes.
func TestRelationship_ofNoCollections(t *testing.T) {
	for _, kind := range []engine.RelationType{engine.OneToMany, engine.ManyToOne} {
		db := newDB(t, engine.Options{})
		relate(t, db, engine.Relationship{Type: kind, From: "users", To: "posts", ForeignKey: "key", Enforce: true})
		if got := db.Collections(); !slices.Equal(got, []string{"users"}) {
			t.Errorf("%s made the collections %v", kind, got)
		}
		child, parent := "posts", "users"
		if kind == engine.ManyToOne {
			child, parent = parent, child
		}
		_, err := db.Insert(child, encode(t, M{"key": 1}), false)
		wantError(t, err, engine.CodeRelationship, "needs a document of "+parent)
		put(t, db, parent, M{"_id": 1})
		put(t, db, child, M{"key": 1})
	}
}

func TestRelationship_index(t *testing.T) {
	db := newDB(t, engine.Options{})
	r := engine.Relationship{Type: engine.OneToMany, From: "users", To: "posts", ForeignKey: "user"}
	relate(t, db, r)
	put(t, db, "posts", M{"user": 1}, M{"user": 2})
	indexes := func() (names []string) {
		m, err := db.Metadata("posts")
		if err != nil {
			t.Fatal(err)
		}
		for _, ix := range m.Indexes {
			names = append(names, fmt.Sprintf("%v%v", ix.Paths, ix.Unique))
		}
		return names
	}
	if got := indexes(); !slices.Equal(got, []string{"[user]false"}) {
		t.Fatalf("the indexes are %v", got)
	}
	if plan, err := db.Explain("posts", engine.Query{Where: where(t, "user = 2")}); err != nil || !slices.Equal(plan.Index, []string{"user"}) {
		t.Errorf("%+v, %v", plan, err)
	}
	wantError(t, db.DropIndex("posts", []string{"user"}), engine.CodeRelationship, "user")
	if err := db.CreateIndex("posts", []string{"user"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	if got := indexes(); !slices.Equal(got, []string{"[user]true"}) {
		t.Errorf("with one of its own, the indexes are %v", got)
	}
	if err := db.DropIndex("posts", []string{"user"}); err != nil {
		t.Fatal(err)
	}
	if got := indexes(); !slices.Equal(got, []string{"[user]false"}) {
		t.Errorf("without that, the indexes are %v", got)
	}
	if err := db.RemoveRelationship("posts"); err != nil {
		t.Fatal(err)
	}
	if got := indexes(); got != nil {
		t.Errorf("without the relationship, the indexes are %v", got)
	}
}

// relModel is what relationships mean, the slow and obvious way.
type relModel struct {
	docs  map[string]map[int64]M // by collection and id
	order map[string][]int64     // the ids, by insertion
	rels  []engine.Relationship
}

func (m *relModel) put(name string, d M) {
	id := d["_id"].(int64)
	if m.docs[name][id] == nil {
		m.order[name] = append(m.order[name], id)
	}
	m.docs[name][id] = d
}

func (m *relModel) delete(name string, id int64) {
	delete(m.docs[name], id)
	m.order[name] = slices.DeleteFunc(m.order[name], func(other int64) bool { return other == id })
}

func (m *relModel) clone() *relModel {
	c := &relModel{docs: map[string]map[int64]M{}, order: map[string][]int64{}, rels: slices.Clone(m.rels)}
	for name, docs := range m.docs {
		c.order[name] = slices.Clone(m.order[name])
		c.docs[name] = map[int64]M{}
		for id, d := range docs {
			c.docs[name][id] = M{}
			for k, v := range d {
				if list, ok := v.([]any); ok {
					v = slices.Clone(list)
				}
				c.docs[name][id][k] = v
			}
		}
	}
	return c
}

func childOf(r engine.Relationship) (child, parent string) {
	if r.Type == engine.OneToMany || r.Type == engine.OneToOne {
		return r.To, r.From
	}
	return r.From, r.To
}

func keysOf(d M, key string) []any {
	switch v := d[key].(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// remove returns the state without some documents; false if it is forbidden at once.
func (m *relModel) remove(name string, ids []int64) (*relModel, bool) {
	next := m.clone()
	gone := map[string]map[int64]bool{}
	list := [][2]any{}
	for _, id := range ids {
		list = append(list, [2]any{name, id})
	}
	for len(list) > 0 {
		name, id := list[0][0].(string), list[0][1].(int64)
		list = list[1:]
		if next.docs[name][id] == nil {
			continue
		}
		next.delete(name, id)
		if gone[name] == nil {
			gone[name] = map[int64]bool{}
		}
		gone[name][id] = true
		for _, r := range m.rels {
			child, parent := childOf(r)
			if parent != name || r.OnDelete != engine.Cascade || r.Type == engine.ManyToMany {
				continue
			}
			for other, d := range next.docs[child] {
				if slices.Contains(keysOf(d, r.ForeignKey), any(id)) {
					list = append(list, [2]any{child, other})
				}
			}
		}
	}
	for _, r := range m.rels {
		child, parent := childOf(r)
		for _, d := range next.docs[child] {
			for _, id := range keysOf(d, r.ForeignKey) {
				if !gone[parent][id.(int64)] {
					continue
				}
				switch {
				case r.OnDelete == engine.Restrict:
					return nil, false
				case r.OnDelete == engine.SetNull || r.OnDelete == engine.Cascade:
					if list, ok := d[r.ForeignKey].([]any); ok {
						d[r.ForeignKey] = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return v == id })
					} else {
						d[r.ForeignKey] = nil
					}
				}
			}
		}
	}
	return next, true
}

// isValid reports whether the enforced relationships hold.
func (m *relModel) isValid() bool {
	for _, r := range m.rels {
		child, parent := childOf(r)
		seen := map[any]int64{}
		for other, d := range m.docs[child] {
			for _, id := range keysOf(d, r.ForeignKey) {
				if !r.Enforce {
					continue
				}
				if m.docs[parent][id.(int64)] == nil {
					return false
				}
				if first, twice := seen[id]; twice && first != other && r.Type == engine.OneToOne {
					return false
				}
				seen[id] = other
			}
		}
	}
	return true
}

func (m *relModel) populated(d M, name string, depth int) M {
	out := M{}
	for k, v := range d {
		out[k] = v
	}
	for _, r := range m.rels {
		if r.From != name {
			continue
		}
		child, parent := childOf(r)
		found := []any{}
		if child == r.To && (r.Type == engine.OneToMany || r.Type == engine.OneToOne) {
			for _, id := range m.order[child] {
				if c := m.docs[child][id]; slices.Contains(keysOf(c, r.ForeignKey), d["_id"]) {
					found = append(found, c)
				}
			}
		} else {
			for _, id := range keysOf(d, r.ForeignKey) {
				if p := m.docs[parent][id.(int64)]; p != nil {
					found = append(found, p)
				}
			}
		}
		for i := range found {
			if depth > 1 {
				found[i] = map[string]any(m.populated(found[i].(M), r.To, depth-1))
			} else {
				found[i] = map[string]any(found[i].(M))
			}
		}
		switch {
		case r.Type == engine.OneToMany || r.Type == engine.ManyToMany:
			out[r.Name] = found
		case len(found) == 0:
			out[r.Name] = nil
		default:
			out[r.Name] = found[0]
		}
	}
	return out
}

// paths are all paths of populate from a collection, to a depth.
func (m *relModel) paths(name string, depth int) (all []string) {
	for _, r := range m.rels {
		if r.From != name {
			continue
		}
		all = append(all, r.Name)
		if depth > 1 {
			for _, below := range m.paths(r.To, depth-1) {
				all = append(all, r.Name+"."+below)
			}
		}
	}
	return all
}

// TestRelationshipModel runs random programs of writes against a model: with
// relationships of all kinds between three collections, circles among them, in
// savepoints and out of them, with batches that a replica applies.
func TestRelationshipModel(t *testing.T) {
	rng := randomly(t)
	rounds := 10
	if runtime.GOARCH == "wasm" {
		rounds = 5
	}
	names := []string{"a", "b", "c"}
	for round := range rounds {
		db, replica := newDB(t, engine.Options{ColumnThreshold: []int{1, -1}[rng.IntN(2)]}), newDB(t, engine.Options{})
		now := &relModel{docs: map[string]map[int64]M{"a": {}, "b": {}, "c": {}}, order: map[string][]int64{}}
		var before *relModel
		refused := 0
		for step := range 300 {
			fail := func(format string, args ...any) {
				t.Helper()
				t.Fatalf("round %d, step %d, %+v: %s", round, step, now.rels, fmt.Sprintf(format, args...))
			}
			// settled takes a write's error and the state that it would lead to.
			settled := func(err error, next *relModel, allowed bool) {
				t.Helper()
				allowed = allowed && (before != nil || next.isValid())
				if allowed != (err == nil) || err != nil && !errors.Is(err, engine.CodeRelationship) {
					fail("got %v; allowed: %v", err, allowed)
				}
				if err == nil {
					now = next
				} else {
					refused++
				}
			}
			name := names[rng.IntN(3)]
			id := rng.Int64N(8) + 1
			switch n := rng.IntN(20); {
			case n < 1 && len(now.rels) < 6:
				i := len(now.rels) + step*10
				r := engine.Relationship{
					Name: fmt.Sprint("r", i), From: name, To: names[rng.IntN(3)], ForeignKey: fmt.Sprint("k", i%4),
					Type:     []engine.RelationType{engine.OneToMany, engine.OneToOne, engine.ManyToOne, engine.ManyToMany}[rng.IntN(4)],
					OnDelete: []engine.OnDelete{engine.KeepChildren, engine.Restrict, engine.Cascade, engine.SetNull}[rng.IntN(4)],
					Enforce:  rng.IntN(2) == 0,
				}
				child, _ := childOf(r)
				for _, other := range now.rels { // two rules for one key would depend on their order
					if c, _ := childOf(other); c == child && other.ForeignKey == r.ForeignKey {
						r.OnDelete = engine.KeepChildren
					}
				}
				next := now.clone()
				next.rels = append(next.rels, r)
				slices.SortStableFunc(next.rels, func(a, b engine.Relationship) int { return strings.Compare(a.From, b.From) })
				if before != nil {
					r.Enforce = false // other relationships may be broken until the release
					next.rels[slices.IndexFunc(next.rels, func(x engine.Relationship) bool { return x.Name == r.Name })] = r
				}
				settled(db.AddRelationship(r), next, true)
			case n < 2 && len(now.rels) > 0 && rng.IntN(4) == 0:
				i := rng.IntN(len(now.rels))
				next := now.clone()
				next.rels = slices.Delete(next.rels, i, i+1)
				settled(db.RemoveRelationship(now.rels[i].From+"."+now.rels[i].Name), next, true)
			case n < 10: // upsert
				d := M{"_id": id}
				for k := range 4 {
					switch rng.IntN(5) {
					case 0:
						d[fmt.Sprint("k", k)] = rng.Int64N(8) + 1
					case 1:
						d[fmt.Sprint("k", k)] = []any{rng.Int64N(8) + 1, rng.Int64N(8) + 1}
					case 2:
						d[fmt.Sprint("k", k)] = nil
					}
				}
				next := now.clone()
				next.put(name, d)
				_, err := db.Insert(name, encode(t, d), true)
				settled(err, next, true)
			case n < 12: // update
				key, to := fmt.Sprint("k", rng.IntN(4)), rng.Int64N(8)+1
				next := now.clone()
				for other, d := range next.docs[name] {
					if other >= id {
						d[key] = to
					}
				}
				_, err := db.Update(name, encode(t, M{key: to}), where(t, fmt.Sprint("_id >= ", id)))
				settled(err, next, true)
			case n < 16: // remove
				var ids []int64
				condition := fmt.Sprintf("_id = %d or _id = %d", id, id+3)
				for other := range now.docs[name] {
					if other == id || other == id+3 {
						ids = append(ids, other)
					}
				}
				next, allowed := now.remove(name, ids)
				_, err := db.Remove(name, where(t, condition))
				settled(err, next, allowed)
			case n == 16 && rng.IntN(3) == 0: // clear
				var ids []int64
				for other := range now.docs[name] {
					ids = append(ids, other)
				}
				next, allowed := now.remove(name, ids)
				settled(db.Clear(name), next, allowed)
			case n == 17 && before == nil:
				db.Savepoint()
				before = now.clone()
			case n == 18 && before != nil:
				if rng.IntN(3) > 0 {
					err := db.ReleaseSavepoint()
					if (err == nil) != now.isValid() {
						fail("releasing gave %v", err)
					}
					if err == nil {
						before = nil
						break
					}
				}
				if err := db.RollbackToSavepoint(); err != nil {
					t.Fatal(err)
				}
				now, before = before, nil
			case n == 19 && before == nil:
				if rng.IntN(3) == 0 {
					if err := replica.Apply(join(db.Cut(uint64(step)))); err != nil {
						t.Fatal(err)
					}
					db.Confirm()
					if !reflect.DeepEqual(db.Dump(), replica.Dump()) || !reflect.DeepEqual(db.Relationships(), replica.Relationships()) {
						fail("the replica differs")
					}
				} else {
					db.DropCaches(rng.Uint64())
				}
			}
			if err := db.Check(); err != nil {
				fail("%v", err)
			}
			if got := db.Relationships(); len(got)+len(now.rels) > 0 && !reflect.DeepEqual(got, now.rels) {
				fail("the relationships are %+v", got)
			}
			for _, name := range names {
				depth := 1 + rng.IntN(2)
				got := map[any]any{}
				for _, d := range documentsOf(t, db, name, engine.Query{Populate: now.paths(name, depth)}) {
					got[d.(map[string]any)["_id"]] = d
				}
				want := map[any]any{}
				for id, d := range now.docs[name] {
					want[id] = map[string]any(now.populated(d, name, depth))
				}
				if !reflect.DeepEqual(got, want) {
					fail("%s holds\n%v, want\n%v", name, got, want)
				}
			}
		}
		if round == 0 && refused == 0 {
			t.Log("no write was refused in this round")
		}
	}
}

func TestRemove_ofNoCollection(t *testing.T) {
	db := newDB(t, engine.Options{})
	if n, err := db.Remove("none", nil); n != 0 || err != nil {
		t.Errorf("%d documents are removed: %v", n, err)
	}
}

// TestRemove_setNullInDepth: the id is taken out wherever the path of the foreign
// key reaches it, and nowhere else.
func TestRemove_setNullInDepth(t *testing.T) {
	for _, tt := range []struct {
		key  string
		doc  M
		want string
	}{
		{"a.b", M{"_id": 1, "a": M{"b": 1, "c": 1}, "b": 1}, "map[_id:1 a:map[b:<nil> c:1] b:1]"},
		{"a.b", M{"_id": 1, "a": []any{M{"b": 1}, M{"b": 2}, M{"b": []any{1, 2, 1}}, 1}}, "map[_id:1 a:[map[b:<nil>] map[b:2] map[b:[2]] 1]]"},
		{"a.1", M{"_id": 1, "a": []any{1, 1, M{"1": 1}}}, "map[_id:1 a:[1 <nil> map[1:<nil>]]]"},
		{"a.1.b", M{"_id": 1, "a": []any{M{"b": 1}, M{"b": 1}}}, "map[_id:1 a:[map[b:1] map[b:<nil>]]]"},
	} {
		db := newDB(t, engine.Options{})
		relate(t, db, engine.Relationship{Type: engine.OneToMany, From: "p", To: "c", ForeignKey: tt.key, OnDelete: engine.SetNull})
		put(t, db, "p", M{"_id": 1})
		put(t, db, "c", tt.doc)
		if _, err := db.Remove("p", nil); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(documentsOf(t, db, "c", engine.Query{})); got != "["+tt.want+"]" {
			t.Errorf("%s in %v leaves %s, want %s", tt.key, tt.doc, got, tt.want)
		}
	}
}

// TestRemove_setNullOfTheRemoved: what is removed too, in whatever order, does not have to allow null.
func TestRemove_setNullOfTheRemoved(t *testing.T) {
	schema := encode(t, M{"properties": M{"next": M{"type": "number"}}})
	chain := func() *engine.DB {
		db := newDB(t, engine.Options{})
		if err := db.CreateCollectionWith("c", schema, engine.SchemaOptions{}); err != nil {
			t.Fatal(err)
		}
		relate(t, db, engine.Relationship{Type: engine.OneToMany, From: "c", To: "c", ForeignKey: "next", OnDelete: engine.SetNull})
		put(t, db, "c", M{"_id": 1, "next": 2}, M{"_id": 2, "next": 3}, M{"_id": 3, "next": 1})
		return db
	}
	if err := chain().Clear("c"); err != nil {
		t.Error(err)
	}
	db := chain()
	if n, err := db.Remove("c", nil); err != nil || n != 3 {
		t.Errorf("%d documents are removed: %v", n, err)
	}
	_, err := chain().Remove("c", where(t, "_id = 1"))
	wantError(t, err, engine.CodeSchema, "c/3")
}
