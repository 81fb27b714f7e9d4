package filelog

import (
	"os"

	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// What the tests of package filelog_test need to know of a file's layout.
const (
	FileHeaderSize   = logfile.HeaderSize
	RecordHeaderSize = logfile.RecordHeaderSize
)

// PartOf is the name of the file that a compaction writes.
var PartOf = partOf

// OnSync has hear called before each fsync, until stop is called.
func OnSync(hear func(*os.File) error) (stop func()) {
	before := syncFile
	syncFile = func(f *os.File) error {
		if err := hear(f); err != nil {
			return err
		}
		return before(f)
	}
	return func() { syncFile = before }
}
