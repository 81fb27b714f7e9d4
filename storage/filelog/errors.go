package filelog

import (
	"errors"

	"github.com/atomicdb-go/atomicdb/engine"
)

// failed gives a code to an error of the system.
func failed(op, path string, err error) error {
	var coded *engine.Error
	switch {
	case errors.As(err, &coded):
		return &engine.Error{Code: coded.Code, Op: op, Target: path, Err: err}
	case isFull(err):
		return &engine.Error{Code: engine.CodeQuota, Op: op, Target: path, Err: err}
	}
	return &engine.Error{Code: engine.CodeStorage, Op: op, Target: path, Err: err}
}
