package filelog

import (
	"os"

	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// The layout of a file, for the tests of package filelog_test.
const (
	FileHeaderSize   = logfile.HeaderSize
	RecordHeaderSize = logfile.RecordHeaderSize
)

// PartOf is the name of the file that a compaction writes.
var PartOf = partOf

// OnSync calls hear before each fsync, until stop is called.
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
