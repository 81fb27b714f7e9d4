package engine

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// databaseName is the _id of the catalog document that declares what is not of one
// collection: {_id: "_database", version: 3}.
const databaseName = "_database"

const maxDataVersion = 1<<31 - 1

// DataVersion returns the version of the data that SetDataVersion has declared; 0
// if it has declared none.
func (db *DB) DataVersion() int { return db.dataVersion }

// SetDataVersion declares the version of the data, which programs count from 1: how
// they have arranged their documents. It goes with the batch of the changes that
// lead to this version.
func (db *DB) SetDataVersion(version int) error {
	if version < 1 || version > maxDataVersion {
		return Fail(CodeInvalid, "setDataVersion", "version", "expected a number from 1 to "+strconv.Itoa(maxDataVersion))
	}
	return db.whole(func() error {
		err := db.declare("setDataVersion", &collection{name: databaseName}, "version", msgpack.AppendInt(nil, int64(version)))
		db.declareAll()
		return err
	})
}

// readDataVersion reads what the catalog declares.
func (db *DB) readDataVersion() int {
	v := db.declared(databaseName, "version")
	if n, ok := msgpack.Int(v); v != nil && ok && n > 0 && n <= maxDataVersion {
		return int(n)
	}
	return 0
}
