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

// SQLite's number of the PRAGMA synchronous that survives a power cut in each journal
// mode. With FULL and a journal that is deleted, the deletion is not synced: the
// journal comes back and takes the last transaction back.
const synchronousExtra = 3

// withConn calls work with a connection. ctx ends when BusyTimeout is over; it does
// not interrupt statements that have begun.
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

// transact runs work in a transaction, while no other writer can write. After an
// error nothing of it stays.
func (l *Log) transact(op string, d storage.Durability, work func(*sql.Conn) error) error {
	return l.withConn(op, func(ctx context.Context, conn *sql.Conn) (err error) {
		if d == storage.Strict {
			restore, err := raiseSynchronous(conn)
			if err != nil {
				return err
			}
			defer restore()
		}
		// IMMEDIATE: a transaction that reads first cannot write after another
		// connection has written.
		err = retry(ctx, func() error { return exec(ctx, conn, "BEGIN IMMEDIATE") })
		if err == nil {
			err = work(conn)
		}
		if err == nil {
			// Readers can block a commit, which can be tried again then.
			err = retry(ctx, func() error { return exec(context.Background(), conn, "COMMIT") })
		}
		if err != nil {
			rollBack(conn)
		}
		return err
	})
}

// raiseSynchronous makes the connection write as Strict asks, until restore is
// called, because the connection belongs to the caller's pool.
func raiseSynchronous(conn *sql.Conn) (restore func(), err error) {
	ctx := context.Background()
	var before int
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&before); err != nil {
		return nil, err
	}
	if before >= synchronousExtra {
		return func() {}, nil
	}
	restore = func() {
		if exec(ctx, conn, "PRAGMA synchronous = "+string(rune('0'+before))) != nil {
			discard(conn)
		}
	}
	return restore, exec(ctx, conn, "PRAGMA synchronous = EXTRA")
}

// rollBack ends the transaction, if SQLite has not rolled it back after an error. A
// connection that stays in a transaction must not go back to the pool; SQLite
// rolls back when it is closed.
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

// retry repeats try while another connection blocks it and ctx has not ended. A
// PRAGMA busy_timeout of the connection works too, inside try.
func retry(ctx context.Context, try func() error) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := try()
		if !isBusy(err) {
			return err
		}
		// A random pause: waiting writers would block each other again.
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
