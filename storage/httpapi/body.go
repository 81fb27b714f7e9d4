package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// Media types.
const (
	typeJSON    = "application/json"
	typeNDJSON  = "application/x-ndjson"
	typeMsgpack = "application/msgpack"
)

// body returns the values of the body as MessagePack, one after the other: one, or the
// lines of NDJSON where they are allowed. isList says that there may be any number.
func (q *request) body(mayBeLines bool) (values []byte, isList bool, err error) {
	given := q.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(given)
	switch {
	case given == "" || kind == typeJSON || kind == typeMsgpack || kind == typeNDJSON && mayBeLines:
	default: // text/plain too, which any page may send
		return nil, false, &problem{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", detail: "expected Content-Type " + typeJSON + " or " + typeMsgpack + ", not " + strconv.Quote(given)}
	}
	if encoding := q.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, false, &problem{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", detail: "expected a body without Content-Encoding"}
	}
	b, err := io.ReadAll(q.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, false, tooLarge(large.Limit)
		}
		return nil, false, invalid("body", "it ends too early")
	}
	switch kind {
	case typeMsgpack:
		n, err := msgpack.Validate(b, maxDepth)
		if err == nil && n < len(b) {
			err = errors.New("there are bytes behind it")
		}
		if err != nil {
			return nil, false, invalid("body", "it is not one MessagePack value: "+err.Error())
		}
		return b, false, nil
	case typeNDJSON:
		number := 0
		for line := range bytes.Lines(b) {
			number++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			value, err := packJSON("line "+strconv.Itoa(number), line)
			if err != nil {
				return nil, false, err
			}
			values = append(values, value...)
		}
		return values, true, nil
	}
	values, err = packJSON("body", b)
	return values, false, err
}

// object returns the body, which is one object.
func (q *request) object() ([]byte, error) {
	b, _, err := q.body(false)
	if err == nil && msgpack.KindOf(b) != msgpack.Map {
		err = invalid("body", "expected an object")
	}
	return b, err
}

// format returns the media type of the answer: JSON, unless Accept wants MessagePack and
// not JSON before it.
func (q *request) format() (string, error) {
	accept := q.Header.Get("Accept")
	if accept == "" {
		return typeJSON, nil
	}
	for _, given := range strings.Split(accept, ",") {
		kind, params, err := mime.ParseMediaType(given)
		if weight, e := strconv.ParseFloat(params["q"], 64); err != nil || e == nil && weight == 0 {
			continue
		}
		switch kind {
		case typeMsgpack:
			return typeMsgpack, nil
		case typeJSON, "application/*", "*/*":
			return typeJSON, nil
		}
	}
	return "", &problem{status: http.StatusNotAcceptable, code: "not_acceptable", detail: "there is " + typeJSON + " and " + typeMsgpack}
}

// send answers with a MessagePack value, as the client wants it.
func (q *request) send(status int, value []byte) error {
	format, err := q.format()
	if err != nil {
		return err
	}
	q.w.Header().Add("Vary", "Accept")
	if format == typeJSON {
		value = docfile.AppendJSON(nil, value)
	}
	send(q.w, status, format, value)
	return nil
}
