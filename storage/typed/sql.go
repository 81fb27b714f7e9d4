package typed

import (
	"context"
	"math"
	"reflect"

	"github.com/atomicdb-go/atomicdb/engine"
	packed "github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// SQL runs a statement, and returns its rows as values of the type R: a struct whose
// tags name columns, or a map with string keys. An INSERT returns a row with the "_id" of
// each document, an UPDATE one row with "updated", and a DELETE one with "removed": how
// many documents.
//
// params are the values of ?, in order; or one map for :name, @name and $name.
//
//	type City struct {
//		Name string  `msgpack:"city"`
//		Mean float64 `msgpack:"mean"`
//	}
//	cities, err := typed.SQL[City](ctx, db, "SELECT city, avg(age) AS mean FROM users WHERE age >= ? GROUP BY city", 18)
//
// Errors: invalid, and those of the write that the statement asks for.
func SQL[R any](ctx context.Context, scope Scope, text string, params ...any) (rows []R, err error) {
	statement, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	values, err := paramsOf(params)
	if err != nil {
		return nil, err
	}
	run := scope.view
	if statement.Writes() {
		run = scope.update
	}
	err = run(ctx, "sql", func(tx *Tx) error {
		rows = nil // of a run before
		answer, err := statement.Run(tx.engine, values)
		if err != nil {
			return err
		}
		all, count, _ := answer.Next(nil, math.MaxInt)
		rows = make([]R, count)
		i := 0
		for b := range packed.Values(all) {
			if err := decode("sql", "", b, &rows[i]); err != nil {
				return err
			}
			i++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// paramsOf returns the parameters of a statement as MessagePack: an array, or a map if
// there is one parameter that is a map.
func paramsOf(params []any) ([]byte, error) {
	if len(params) == 0 {
		return nil, nil
	}
	if len(params) == 1 && params[0] != nil && reflect.TypeOf(params[0]).Kind() == reflect.Map {
		if reflect.TypeOf(params[0]).Key().Kind() != reflect.String {
			return nil, engine.Fail(engine.CodeInvalid, "sql", "", "params: expected a map with string keys")
		}
		return encode("sql", "", "params", params[0])
	}
	b := packed.AppendArray(nil, len(params))
	for _, param := range params {
		value, err := encode("sql", "", "params", param)
		if err != nil {
			return nil, err
		}
		b = append(b, value...)
	}
	return b, nil
}
