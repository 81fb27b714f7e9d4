//go:build !js

package sqlitelog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math/rand/v2"
	"time"

	"github.com/atomicdb-go/atomicdb/storage"
)

// SQLite's number of a PRAGMA synchronous that survives a power cut.
const synchronousFull = 2

// withConn lends work a connection. ctx ends when the Log has waited long
// enough; statements that have begun are not cut off by it.
func (l *Log) withConn(op string, work func(ctx context.Context, conn *sql.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), l.busyTimeout)
	defer cancel()
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return failed(op, l.name, err)
	}
	defer conn.Close()
	if err := work(ctx, conn); err != nil {
		return failed(op, l.name, err)
	}
	return nil
}

// transact runs work in a transaction that no other writer can come between.
// If anything fails, nothing of it stays.
func (l *Log) transact(op string, d storage.Durability, work func(*sql.Conn) error) error {
	return l.withConn(op, func(ctx context.Context, conn *sql.Conn) (err error) {
		if d == storage.Strict {
			restore, err := raiseSynchronous(conn)
			if err != nil {
				return err
			}
			defer restore()
		}
		// IMMEDIATE: a transaction that read first could not write once another
		// has written.
		err = patiently(ctx, func() error { return exec(ctx, conn, "BEGIN IMMEDIATE") })
		if err == nil {
			err = work(conn)
		}
		if err == nil {
			// Readers can be in the way of a commit, which then can be tried again.
			err = patiently(ctx, func() error { return exec(context.Background(), conn, "COMMIT") })
		}
		if err != nil {
			rollBack(conn)
		}
		return err
	})
}

// raiseSynchronous has the connection write as Strict asks, until restore is
// called: it belongs to the caller's pool.
func raiseSynchronous(conn *sql.Conn) (restore func(), err error) {
	ctx := context.Background()
	var before int
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&before); err != nil {
		return nil, err
	}
	if before >= synchronousFull {
		return func() {}, nil
	}
	restore = func() {
		if exec(ctx, conn, "PRAGMA synchronous = "+string(rune('0'+before))) != nil {
			discard(conn)
		}
	}
	return restore, exec(ctx, conn, "PRAGMA synchronous = FULL")
}

// rollBack ends the transaction if there is one: after some errors SQLite has
// rolled back already. A connection that stays in one must not go back to the
// pool; SQLite rolls back when it is closed.
func rollBack(conn *sql.Conn) {
	if exec(context.Background(), conn, "ROLLBACK") == nil {
		return
	}
	if exec(context.Background(), conn, "BEGIN") != nil || exec(context.Background(), conn, "ROLLBACK") != nil {
		discard(conn)
	}
}

func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

func exec(ctx context.Context, conn *sql.Conn, statement string, args ...any) error {
	_, err := conn.ExecContext(ctx, statement, args...)
	return err
}

// patiently repeats try while another connection is in the way and ctx has not
// ended. A PRAGMA busy_timeout of the connection works as well, inside try.
func patiently(ctx context.Context, try func() error) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := try()
		if !isBusy(err) {
			return err
		}
		// Not all at the same moment: waiting writers would keep meeting.
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
