package engine_test

import (
	"strconv"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// BenchmarkPopulate finds documents with those of relationships put in: 10,000 users
// have 10 posts each. The time is for all.
func BenchmarkPopulate(b *testing.B) {
	const users, each = 10_000, 10
	db, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range []engine.Relationship{
		{Type: engine.OneToMany, From: "users", To: "posts", ForeignKey: "user_id"},
		{Name: "author", Type: engine.ManyToOne, From: "posts", To: "users", ForeignKey: "user_id"},
	} {
		if err := db.AddRelationship(r); err != nil {
			b.Fatal(err)
		}
	}
	var posts []byte
	for i := range users * each {
		posts = msgpack.AppendMap(posts, 3)
		posts = msgpack.AppendString(posts, "title")
		posts = msgpack.AppendString(posts, "post "+strconv.Itoa(i))
		posts = msgpack.AppendString(posts, "user_id")
		posts = msgpack.AppendInt(posts, int64(1+i*7919%users))
		posts = msgpack.AppendString(posts, "stars")
		posts = msgpack.AppendInt(posts, int64(i%5))
	}
	for name, docs := range map[string][]byte{"users": benchDocs(b, users), "posts": posts} {
		if _, err := db.Insert(name, docs, false); err != nil {
			b.Fatal(err)
		}
	}
	db.Cut(0)
	db.Confirm()
	for _, bb := range []struct {
		name, in string
		q        engine.Query
	}{
		{"none", "users", engine.Query{}},
		{"children", "users", engine.Query{Populate: []string{"posts"}}},
		{"parents", "posts", engine.Query{Populate: []string{"author"}}},
		{"nested", "users", engine.Query{Populate: []string{"posts.author"}}},
		{"first 100", "users", engine.Query{Populate: []string{"posts.author"}, Limit: 100}},
		{"first", "users", engine.Query{Populate: []string{"posts.author"}, Limit: 1}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				result, err := db.Find(bb.in, bb.q)
				if err != nil {
					b.Fatal(err)
				}
				for left := result.Len(); left > 0; {
					out, _, left = result.Next(out[:0], 1<<20)
				}
			}
		})
	}
}
