package httpapi

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/blake2b"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// defaultLimit is how many documents a page has if the query does not say.
const defaultLimit = 100

// maxPageBytes is about how many bytes of documents a page has.
const maxPageBytes = 4 << 20

func runQuery(q *request) error {
	if _, err := q.format(); err != nil {
		return err
	}
	body, err := q.object()
	if err != nil {
		return err
	}
	isSQL := msgpack.Lookup(body, "sql") != nil
	known := "collection where sort limit fields cursor"
	if isSQL {
		known = "sql params"
	}
	for name := range msgpack.Fields(body) {
		if !strings.Contains(" "+known+" ", " "+string(name)+" ") {
			return invalid("body", "it has "+strconv.Quote(string(name))+"; expected "+strings.ReplaceAll(known, " ", ", "))
		}
	}
	if isSQL {
		return q.runSQL(body)
	}
	return q.findPage(body)
}

func (q *request) runSQL(body []byte) error {
	text := msgpack.Lookup(body, "sql")
	if msgpack.KindOf(text) != msgpack.String {
		return invalid("sql", "expected a text")
	}
	statement, err := sql.Parse(string(msgpack.Str(text)))
	if err != nil {
		return err
	}
	run := q.view
	if statement.Writes() {
		run = q.update
		if err := q.token.check(q.PathValue("db"), true); err != nil {
			return err
		}
	}
	var out []byte
	err = run(func(db *engine.DB) error {
		rows, err := statement.Run(db, msgpack.Lookup(body, "params"))
		if err != nil {
			return err
		}
		if rows.Len() > q.h.opts.MaxResults {
			return invalid("sql", "the answer has "+strconv.Itoa(rows.Len())+" rows, more than "+strconv.Itoa(q.h.opts.MaxResults)+"; ask for less with LIMIT")
		}
		out = msgpack.AppendArray(msgpack.AppendString(msgpack.AppendMap(nil, 1), "rows"), rows.Len())
		left := 0
		if out, _, left = rows.Next(out, maxPageBytes); left > 0 {
			return invalid("sql", "the answer has more than "+strconv.Itoa(maxPageBytes)+" bytes; ask for less with LIMIT")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, out)
}

// findPage answers with {"documents": […]}, and "cursor" if there are more.
func (q *request) findPage(body []byte) error {
	p, err := q.pageOf(body)
	if err != nil {
		return err
	}
	var docs, last []byte
	count, more := 0, false
	err = q.view(func(db *engine.DB) error {
		result, err := db.Find(p.collection, p.query())
		if err != nil {
			return err
		}
		found := result.Len()
		for count < min(found, p.limit) && len(docs) < maxPageBytes {
			at := len(docs)
			docs, _, _ = result.Next(docs, 0)
			last = append(last[:0], msgpack.Lookup(docs[at:], "_id")...)
			count++
		}
		more = count < found
		return nil
	})
	if err != nil {
		return err
	}
	fields := 1
	if more {
		fields++
	}
	out := msgpack.AppendArray(msgpack.AppendString(msgpack.AppendMap(nil, fields), "documents"), count)
	out = append(out, docs...)
	if more {
		out = msgpack.AppendString(msgpack.AppendString(out, "cursor"), p.cursor(last, count))
	}
	return q.send(http.StatusOK, out)
}

// A page is a part of what a query finds. Without a sort, documents come in the order of
// their ids, and a cursor is the last id: so none is passed over and none comes twice,
// whatever is written meanwhile. With a sort, it is how many documents came before.
type page struct {
	collection string
	where      *query.Filter
	sort       []engine.SortKey
	fields     []string
	limit      int
	mark       []byte // of the cursor: which query it is for
	after      []byte // an id; nil: the first page
	skip       int
}

func (q *request) pageOf(body []byte) (p page, err error) {
	name := msgpack.Lookup(body, "collection")
	if msgpack.KindOf(name) != msgpack.String {
		return p, invalid("collection", "expected a text")
	}
	p.collection = string(msgpack.Str(name))
	where := msgpack.Lookup(body, "where")
	if where != nil {
		if p.where, err = query.Parse(where); err != nil {
			return p, &engine.Error{Code: engine.CodeInvalid, Op: "where", Err: err}
		}
	}
	sort, err := textsOf("sort", msgpack.Lookup(body, "sort"))
	if err != nil {
		return p, err
	}
	for _, path := range sort {
		name, descending := strings.CutPrefix(path, "-")
		p.sort = append(p.sort, engine.SortKey{Path: query.ParsePath(name), Descending: descending, ByElement: true})
	}
	if p.fields, err = textsOf("fields", msgpack.Lookup(body, "fields")); err != nil {
		return p, err
	}
	p.limit = min(defaultLimit, q.h.opts.MaxResults)
	if limit := msgpack.Lookup(body, "limit"); limit != nil {
		n, ok := msgpack.Int(limit)
		if !ok || n < 1 || n > int64(q.h.opts.MaxResults) {
			return p, invalid("limit", "expected 1 to "+strconv.Itoa(q.h.opts.MaxResults))
		}
		p.limit = int(n)
	}
	sum := blake2b.Sum256([]byte(strconv.Quote(p.collection) + string(where) + "\x00" + strings.Join(sort, "\x00")))
	p.mark = sum[:8]
	if slices.Contains(p.fields, "-_id") {
		return p, invalid("fields", "the next page is found by _id, which is left out")
	}
	if cursor := msgpack.Lookup(body, "cursor"); cursor != nil {
		return p, p.goOn(string(msgpack.Str(cursor)))
	}
	return p, nil
}

func (p *page) query() engine.Query {
	q := engine.Query{Where: p.where, Sort: p.sort, Skip: p.skip, Limit: p.limit + 1, Fields: p.fields} // one more tells whether there are more
	if p.sort == nil {
		id := query.ParsePath("_id")
		q.Sort = []engine.SortKey{{Path: id}}
		if p.after != nil {
			rest := query.Gt(id, p.after)
			if msgpack.IsInt(p.after) { // texts come after all integers
				rest = query.Or(rest, query.IsType(id, query.TypeStr))
			}
			if q.Where = rest; p.where != nil {
				q.Where = query.And(p.where, rest)
			}
		}
	}
	return q
}

// cursor returns where the next page begins.
func (p *page) cursor(last []byte, count int) string {
	place := last
	if p.sort != nil {
		place = msgpack.AppendInt(nil, int64(p.skip+count))
	}
	return base64.RawURLEncoding.EncodeToString(append(p.mark[:len(p.mark):len(p.mark)], place...))
}

// goOn reads a cursor.
func (p *page) goOn(cursor string) error {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) <= len(p.mark) || string(b[:len(p.mark)]) != string(p.mark) {
		return invalid("cursor", "it is not one of this query")
	}
	place := b[len(p.mark):]
	n, err := msgpack.Validate(place, 1)
	skip, isInt := msgpack.Int(place)
	if err != nil || n < len(place) || !isInt && msgpack.KindOf(place) != msgpack.String || p.sort != nil && (!isInt || skip < 0 || skip > 1<<40) {
		return invalid("cursor", "it is not one of this query")
	}
	if p.sort != nil {
		p.skip = int(skip)
	} else {
		p.after = place
	}
	return nil
}

// textsOf returns an array of texts.
func textsOf(name string, list []byte) (texts []string, err error) {
	if list == nil {
		return nil, nil
	}
	for element := range msgpack.Elements(list) {
		if msgpack.KindOf(element) != msgpack.String {
			return nil, invalid(name, "expected an array of texts")
		}
		texts = append(texts, string(msgpack.Str(element)))
	}
	if msgpack.KindOf(list) != msgpack.Array {
		return nil, invalid(name, "expected an array of texts")
	}
	return texts, nil
}
