package jsbridge

import (
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// startFiles adds the functions that read and write files of documents to object.
// Each returns a Promise:
//
//	exportFile(handle, type)    → bytes
//	parseFile(bytes, type)      → {sections: [{collection, upsert, pieces}], indexes: [{collection, paths, unique, sparse, name}], relationships}
//	documentFile(type)          → see [newFileObject]
//
// A type is 'json' or 'msgpack'. The pieces are documents for the op insert.
func startFiles(object js.Value) {
	function(object, "exportFile", func(args []js.Value) (any, error) {
		session, err := sessionOf("export", args)
		if err != nil {
			return nil, err
		}
		var file []byte
		err = session.View(func(db *engine.DB) (err error) {
			file, err = docfile.Write(db, docfile.Type(args[1].String()))
			return err
		})
		if err != nil {
			return nil, err
		}
		return bytesToJS(file), nil
	})
	function(object, "parseFile", func(args []js.Value) (any, error) {
		// The database has its own limit of depth.
		file, err := docfile.Parse(bytesToGo(args[0]), docfile.Type(args[1].String()), 1000)
		if err != nil {
			return nil, err
		}
		return fileToJS(file), nil
	})
	function(object, "documentFile", newFileObject)
}

// sectionBytes is about how many bytes of documents one call inserts.
const sectionBytes = 1 << 20

func fileToJS(file *docfile.File) js.Value {
	sections, schemas, indexes := []any{}, []any{}, []any{}
	for _, s := range file.Sections {
		pieces := []any{}
		for rest := s.Documents; ; {
			n := 0
			for n < len(rest) && n < sectionBytes {
				n += msgpack.Skip(rest[n:])
			}
			pieces = append(pieces, bytesToJS(rest[:n]))
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
		}
		sections = append(sections, map[string]any{"collection": s.Collection, "upsert": s.Upsert, "pieces": pieces})
	}
	for _, s := range file.Schemas {
		schemas = append(schemas, map[string]any{
			"collection": s.Collection, "source": bytesToJS(s.Source), "options": bytesToJS(s.Options.Pack()),
		})
	}
	for _, i := range file.Indexes {
		paths := []any{}
		for _, path := range i.Paths {
			paths = append(paths, path)
		}
		indexes = append(indexes, map[string]any{"collection": i.Collection, "paths": paths, "unique": i.Options.Unique, "sparse": i.Options.Sparse, "name": i.Options.Name})
	}
	relationships := []any{}
	for _, r := range file.Relationships {
		relationships = append(relationships, map[string]any{
			"name": r.Name, "type": string(r.Type), "from": r.From, "to": r.To, "foreignKey": r.ForeignKey, "onDelete": string(r.OnDelete), "enforce": r.Enforce,
		})
	}
	return js.ValueOf(map[string]any{"sections": sections, "schemas": schemas, "indexes": indexes, "relationships": relationships})
}

// newFileObject returns a [storage.DocumentFile] as an object whose methods
// return Promises:
//
//	load(bytes or null)
//	snapshot(seq)     → the frame of a snapshot
//	apply(seq, frame) → the new file
//	close()           the last call
func newFileObject(args []js.Value) (any, error) {
	file, err := storage.NewDocumentFile(docfile.Type(args[0].String()))
	if err != nil {
		return nil, err
	}
	object := js.Global().Get("Object").New()
	functions := []js.Func{
		function(object, "load", func(args []js.Value) (any, error) {
			if args[0].IsNull() {
				return nil, file.Load(nil)
			}
			return nil, file.Load(bytesToGo(args[0]))
		}),
		function(object, "snapshot", func(args []js.Value) (any, error) {
			return frameToJS(file.Snapshot(uint64(args[0].Float()))), nil
		}),
		function(object, "apply", func(args []js.Value) (any, error) {
			content, err := file.Apply(uint64(args[0].Float()), bytesToGo(args[1]))
			if err != nil {
				return nil, err
			}
			return bytesToJS(content), nil
		}),
	}
	functions = append(functions, function(object, "close", func([]js.Value) (any, error) {
		for _, f := range functions {
			f.Release()
		}
		return nil, nil
	}))
	return object, nil
}

// frameToJS copies the parts of a frame into one Uint8Array.
func frameToJS(frame storage.Frame) js.Value {
	array := js.Global().Get("Uint8Array").New(frame.Len())
	at := 0
	for _, part := range frame {
		js.CopyBytesToJS(array.Call("subarray", at), part)
		at += len(part)
	}
	return array
}
