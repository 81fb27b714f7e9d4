package httpapi

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/crypto/blake2b"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// id returns the id in the path: an integer if it is written as one, else a text. Double
// quotes make a text of everything.
func (q *request) id() ([]byte, error) {
	text := q.PathValue("id")
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal([]byte(text), &text); err != nil {
			return nil, invalid("id", "it begins with a double quote, and is no JSON text")
		}
		return msgpack.AppendString(nil, text), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return msgpack.AppendInt(nil, n), nil
	}
	return msgpack.AppendString(nil, text), nil
}

// pathOf returns an id as it is in a path.
func pathOf(id []byte) string {
	text := string(msgpack.Str(id))
	if n, ok := msgpack.Int(id); ok {
		return strconv.FormatInt(n, 10)
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil || strings.HasPrefix(text, `"`) || text == "" || text == "." || text == ".." {
		quoted, _ := json.Marshal(text) // a text has no error
		text = string(quoted)
	}
	return url.PathEscape(text)
}

// tagOf returns the version of a document: a hash of its bytes, in each media type another.
func tagOf(doc []byte, format string) string {
	sum := blake2b.Sum256(doc)
	return `"` + hex.EncodeToString(sum[:16]) + strings.TrimPrefix(format, "application/")[:1] + `"`
}

// precondition returns an error if If-Match or If-None-Match does not hold for doc; nil
// stands for no document.
func (q *request) precondition(doc []byte) error {
	holds := func(header string) bool {
		for _, tag := range strings.Split(header, ",") {
			tag = strings.TrimSpace(tag)
			if doc != nil && (tag == "*" || tag == tagOf(doc, typeJSON) || tag == tagOf(doc, typeMsgpack)) {
				return true
			}
		}
		return false
	}
	if want := q.Header.Get("If-Match"); want != "" && !holds(want) {
		return preconditionFailed("If-Match: the document is another one")
	}
	if unwanted := q.Header.Get("If-None-Match"); unwanted != "" && holds(unwanted) {
		return preconditionFailed("If-None-Match: the document is there")
	}
	return nil
}

// sendDocument answers with a document and its version.
func (q *request) sendDocument(status int, doc []byte) error {
	format, err := q.format()
	if err != nil {
		return err
	}
	q.w.Header().Set("ETag", tagOf(doc, format))
	return q.send(status, doc)
}

func (q *request) noDocument() error {
	return engine.Fail(engine.CodeNotFound, q.PathValue("collection")+"/"+q.PathValue("id"), "", "there is no such document")
}

func getDocument(q *request) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	var doc []byte
	err = q.view(func(db *engine.DB) error {
		doc = append(doc, db.Get(q.PathValue("collection"), id)...)
		return nil
	})
	switch format, formatErr := q.format(); {
	case err != nil:
		return err
	case doc == nil:
		return q.noDocument()
	case formatErr == nil && q.precondition(doc) != nil && q.Header.Get("If-Match") == "":
		q.w.Header().Set("ETag", tagOf(doc, format))
		q.w.Header().Add("Vary", "Accept")
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if err := q.precondition(doc); err != nil {
		return err
	}
	return q.sendDocument(http.StatusOK, doc)
}

func putDocument(q *request) error {
	id, doc, err := q.documentAndID()
	if err != nil {
		return err
	}
	status := http.StatusOK
	var stored []byte
	err = q.update(func(db *engine.DB) error {
		before := db.Get(q.PathValue("collection"), id)
		if err := q.precondition(before); err != nil {
			return err
		}
		if status = http.StatusOK; before == nil {
			status = http.StatusCreated
		}
		_, err := db.Insert(q.PathValue("collection"), doc, true)
		stored = append(stored[:0], db.Get(q.PathValue("collection"), id)...)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendDocument(status, stored)
}

// documentAndID returns the id in the path, and the body with that _id.
func (q *request) documentAndID() (id, doc []byte, err error) {
	if id, err = q.id(); err != nil {
		return nil, nil, err
	}
	if _, err := q.format(); err != nil { // before anything is stored
		return nil, nil, err
	}
	body, err := q.object()
	if err != nil {
		return nil, nil, err
	}
	if given := msgpack.Lookup(body, "_id"); given != nil {
		if !msgpack.Equal(given, id) {
			return nil, nil, invalid("body", "its _id is another one than that in the path")
		}
		return id, body, nil
	}
	count, header := msgpack.Container(body)
	doc = append(msgpack.AppendString(msgpack.AppendMap(nil, count+1), "_id"), id...)
	return id, append(doc, body[header:]...), nil
}

func patchDocument(q *request) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	if _, err := q.format(); err != nil {
		return err
	}
	change, err := q.object()
	if err != nil {
		return err
	}
	var stored []byte
	err = q.update(func(db *engine.DB) error {
		if err := q.mayChange(db, id); err != nil {
			return err
		}
		_, err := db.UpdateWith(q.PathValue("collection"), change, query.Eq(query.ParsePath("_id"), id), engine.UpdateOptions{Now: q.db.session.Now()})
		stored = append(stored[:0], db.Get(q.PathValue("collection"), id)...)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendDocument(http.StatusOK, stored)
}

// mayChange refuses a change of a document that is not there, or is not as the request expects it.
func (q *request) mayChange(db *engine.DB, id []byte) error {
	before := db.Get(q.PathValue("collection"), id)
	if before == nil {
		return q.noDocument()
	}
	return q.precondition(before)
}

func deleteDocument(q *request) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	err = q.update(func(db *engine.DB) error {
		if err := q.mayChange(db, id); err != nil {
			return err
		}
		_, err := db.Remove(q.PathValue("collection"), query.Eq(query.ParsePath("_id"), id))
		return err
	})
	if err == nil {
		q.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// insertDocuments answers with {"_id": …} for one document, else with {"ids": […]}.
func insertDocuments(q *request) error {
	if _, err := q.format(); err != nil {
		return err
	}
	docs, isMany, err := q.body(true)
	if err != nil {
		return err
	}
	if !isMany && msgpack.KindOf(docs) == msgpack.Array {
		_, header := msgpack.Container(docs)
		docs, isMany = docs[header:], true
	}
	ids := msgpack.AppendArray(nil, 0)
	if len(docs) > 0 {
		err = q.update(func(db *engine.DB) (err error) {
			ids, err = db.Insert(q.PathValue("collection"), docs, false)
			return err
		})
	}
	if err != nil {
		return err
	}
	if isMany {
		return q.send(http.StatusCreated, append(msgpack.AppendString(msgpack.AppendMap(nil, 1), "ids"), ids...))
	}
	id := msgpack.List(ids)[0]
	q.w.Header().Set("Location", "/"+q.PathValue("db")+"/"+url.PathEscape(q.PathValue("collection"))+"/"+pathOf(id))
	return q.send(http.StatusCreated, append(msgpack.AppendString(msgpack.AppendMap(nil, 1), "_id"), id...))
}
