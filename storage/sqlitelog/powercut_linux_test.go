package sqlitelog_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestPowerCut(t *testing.T) { storagetest.TestPowerCut(t, openLog, false) }

func TestFullDisk(t *testing.T) { storagetest.TestFullDisk(t, openLog) }
