package jsbridge

import (
	"bytes"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// startRepair adds the functions that check, repair and copy logs to object. Each
// returns a Promise:
//
//	verify(handle)               → a report
//	repair(backend, options)     → a report; the options are those of [sessionOptions]
//	exportRaw(backend, identity) → a file, see package logfile
//	importRaw(backend, file, identity, sealer) → stores the records as another database
//	parseRawFile(file, identity) → records, as the read of a StorageBackend
//
// An identity is 16 random bytes: that of the file if its records have none, or
// that of the records that are stored. The sealer (see [storage.Reseal]) may be
// undefined.
//
// A report is {batches, snapshotSeq, lastSeq, bytes, documents, problems:
// [{seq, code, message, ids}]}.
func startRepair(object js.Value) {
	function(object, "verify", func(args []js.Value) (any, error) {
		session, err := sessionOf("verify", args)
		if err != nil {
			return nil, err
		}
		report, err := session.Verify()
		if err != nil {
			return nil, err
		}
		return reportToJS(report), nil
	})
	function(object, "repair", func(args []js.Value) (any, error) {
		log, err := newLog(args[0])
		if err != nil {
			return nil, err
		}
		report, err := storage.Repair(log, sessionOptions(args[1]))
		if err != nil {
			return nil, err
		}
		return reportToJS(report), nil
	})
	function(object, "exportRaw", func(args []js.Value) (any, error) {
		log, err := newLog(args[0])
		if err != nil {
			return nil, err
		}
		var records []storage.Record
		err = storage.Salvage(log, func(r storage.Record) error {
			r.Bytes = bytes.Clone(r.Bytes)
			records = append(records, r)
			return nil
		})
		if closeErr := log.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return nil, err
		}
		identity := storage.IdentityOfMost(records)
		if (identity == storage.Identity{}) {
			identity = storage.Identity(bytesToGo(args[1]))
		}
		return bytesToJS(logfile.Marshal(identity, records)), nil
	})
	function(object, "importRaw", func(args []js.Value) (any, error) {
		records, err := logfile.Unmarshal(bytesToGo(args[1]))
		if err != nil {
			return nil, err
		}
		if err := storage.Reseal(args[3], records, storage.Identity(bytesToGo(args[2]))); err != nil {
			return nil, err
		}
		log, err := newLog(args[0])
		if err != nil {
			return nil, err
		}
		return nil, storage.Restore(log, records)
	})
	function(object, "parseRawFile", func(args []js.Value) (any, error) {
		records, err := logfile.Unmarshal(bytesToGo(args[0]))
		if err != nil {
			return nil, err
		}
		storage.WithIdentities(records, storage.Identity(bytesToGo(args[1])))
		list := []any{}
		for _, r := range records {
			list = append(list, map[string]any{"seq": float64(r.Seq), "snapshot": r.Snapshot, "bytes": bytesToJS(bytes.Clone(r.Bytes))})
		}
		return list, nil
	})
}

func reportToJS(report *storage.Report) js.Value {
	problems := []any{}
	for _, p := range report.Problems {
		ids := []any{}
		for _, id := range p.IDs {
			ids = append(ids, id)
		}
		problems = append(problems, map[string]any{"seq": float64(p.Seq), "code": string(p.Code), "message": p.Why, "ids": ids})
	}
	return js.ValueOf(map[string]any{
		"batches":     report.Batches,
		"snapshotSeq": float64(report.SnapshotSeq),
		"lastSeq":     float64(report.LastSeq),
		"bytes":       float64(report.Bytes),
		"documents":   report.Documents,
		"problems":    problems,
	})
}
