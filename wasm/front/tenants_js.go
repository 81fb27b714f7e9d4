package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/syumai/workers/cloudflare"
	"github.com/syumai/workers/cloudflare/d1"
	"github.com/syumai/workers/cloudflare/kv"
)

// binding is the name of the binding that holds the tenants.
const binding = "TENANTS"

// newFind returns the function that finds tenants in what is bound: KV or D1.
func newFind() (func(context.Context, string) (*tenant, error), error) {
	bound := cloudflare.GetBinding(binding)
	switch {
	case bound.Type() != js.TypeObject:
		return nil, errors.New("the binding " + binding + " is missing: expected a namespace of KV or a database of D1")
	case bound.Get("prepare").Type() == js.TypeFunction:
		return newFindInD1()
	}
	return newFindInKV()
}

// newFindInKV finds a tenant as JSON under the hash.
func newFindInKV() (func(context.Context, string) (*tenant, error), error) {
	namespace, err := kv.NewNamespace(binding)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, hash string) (*tenant, error) {
		text, err := namespace.GetString(hash, nil)
		if err != nil || text == js.Null().String() { // what the package makes of a missing key
			return nil, err
		}
		var found tenant
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			return nil, fmt.Errorf("the tenant at %s: %w", hash, err)
		}
		return &found, nil
	}, nil
}

// newFindInD1 finds a tenant as a row of the table that doc.go describes.
func newFindInD1() (func(context.Context, string) (*tenant, error), error) {
	connector, err := d1.OpenConnector(binding)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	return func(ctx context.Context, hash string) (*tenant, error) {
		var found tenant
		var databases string
		row := db.QueryRowContext(ctx, "SELECT tenant, databases, read_only FROM tenants WHERE hash = ?", hash)
		err := row.Scan(&found.Tenant, &databases, &found.ReadOnly)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		found.Databases = strings.Split(databases, ",")
		return &found, err
	}, nil
}
