package docfile

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A writer writes collections into a file. JSON has a line for each document, so
// that people can read and compare it.
type writer struct {
	isJSON bool
	file   []byte
}

// pieceBytes is about how many bytes of documents are in memory twice.
const pieceBytes = 64 << 10

func (w *writer) open(collections int) {
	if w.isJSON {
		w.file = append(w.file, '{')
	} else {
		w.file = msgpack.AppendMap(w.file, collections)
	}
}

func (w *writer) collection(n int, name string, documents *engine.Result) {
	if w.isJSON {
		if n > 0 {
			w.file = append(w.file, ",\n"...)
		}
		w.file = append(appendText(w.file, []byte(name)), ": ["...)
	} else {
		w.file = msgpack.AppendString(w.file, name)
		w.file = msgpack.AppendArray(w.file, documents.Len())
	}
	var piece []byte
	for separator := "\n"; documents.Len() > 0; {
		if !w.isJSON {
			w.file, _, _ = documents.Next(w.file, pieceBytes)
			continue
		}
		piece, _, _ = documents.Next(piece[:0], pieceBytes)
		for document := range msgpack.Values(piece) {
			w.file = append(w.file, separator...)
			w.file = appendJSON(w.file, document)
			separator = ",\n"
		}
	}
	if w.isJSON {
		w.file = append(w.file, ']')
	}
}

func (w *writer) close() {
	if w.isJSON {
		w.file = append(w.file, "}\n"...)
	}
}
