//go:build !js

package storagetest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

const (
	childJob  = "ATOMICDB_TEST_JOB" // set: the test binary is a child of TestProcesses
	childPath = "ATOMICDB_TEST_PATH"

	increments = 100 // by each session that counts
)

// Main runs a package's tests. If TestProcesses has started the test binary as
// another process, Main does that process's work instead. A package that calls
// TestProcesses calls Main from TestMain.
func Main(m *testing.M, open OpenPath) {
	var err error
	switch os.Getenv(childJob) {
	case "":
		os.Exit(m.Run())
	case "count":
		err = countAsChild(open, os.Getenv(childPath))
	case "write":
		err = writeForEver(open, os.Getenv(childPath), storage.Relaxed)
	case "write strictly":
		err = writeForEver(open, os.Getenv(childPath), storage.Strict)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// TestProcesses has real processes share one database, and kills some of them.
func TestProcesses(t *testing.T, open OpenPath) {
	t.Run("processes that count together lose no increment", func(t *testing.T) { countsTogether(t, open) })
	t.Run("a process that is killed loses nothing that it was told is stored", func(t *testing.T) { survivesKill(t, open) })
}

func countsTogether(t *testing.T, open OpenPath) {
	path := filepath.Join(t.TempDir(), "counter")
	sessions := []*storage.Session{openPath(t, open, path), openPath(t, open, path)}
	child := startChild(t, "count", path)
	if _, err := child.out.ReadString('\n'); err != nil { // it has opened the database
		t.Fatal(err)
	}
	child.in.Close() // it waits for this
	errs := make([]error, len(sessions))
	var all sync.WaitGroup
	for i, s := range sessions {
		all.Go(func() { errs[i] = count(s) })
	}
	all.Wait()
	for _, err := range append(errs, child.Wait()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := increments * int64(len(sessions)+1)
	for _, s := range append(sessions, openPath(t, open, path)) {
		if err := s.CatchUp(); err != nil {
			t.Fatal(err)
		}
		if got := numberOf(s, 0); got != want {
			t.Errorf("a session counts %d, want %d", got, want)
		}
	}
}

func countAsChild(open OpenPath, path string) error {
	log, err := open(path)
	if err != nil {
		return err
	}
	s, err := storage.Open(log, storage.SessionOptions{CompactAfter: 1000})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	io.ReadAll(os.Stdin)
	if err := count(s); err != nil {
		return err
	}
	return s.Close()
}

func count(s *storage.Session) error {
	for range increments {
		err := s.Update(func(db *engine.DB) error { return putNumber(db, 0, numberIn(db, 0)+1, 0) })
		if err != nil {
			return err
		}
	}
	return nil
}

// A child writes n = 1, 2, 3, … into documents n % ring, and is killed at some
// n, mostly in the middle of a write or of a compaction.
const ring = 10

func survivesKill(t *testing.T, open OpenPath) {
	path := filepath.Join(t.TempDir(), "killed")
	_, random := Points(t, *crashKills)
	last := int64(0)
	var tally Tally
	for round := range *crashKills {
		child := startChild(t, "write", path)
		acknowledged, until := last, last+1+int64(random.IntN(60))
		lines := bufio.NewScanner(child.out)
		for lines.Scan() {
			n, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acknowledged = n
			tally.Operations, tally.Acknowledged = tally.Operations+1, tally.Acknowledged+1
			if n == until {
				child.Process.Kill() // its last lines are read below
			}
		}
		if err := child.Wait(); acknowledged < until {
			t.Fatalf("round %d: the process ended by itself at %d: %v", round, acknowledged, err)
		}

		s := openPath(t, open, path)
		last = lastNumber(s)
		if last != acknowledged && last != acknowledged+1 {
			t.Fatalf("round %d: %d was acknowledged, and %d is stored", round, acknowledged, last)
		}
		for n := max(1, last-ring+1); n <= last; n++ {
			if got := numberOf(s, n%ring); got != n {
				t.Fatalf("round %d: %d is stored, but %d in place of %d", round, last, got, n)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		tally.Points++
	}
	t.Log(&tally)
}

func writeForEver(open OpenPath, path string, d storage.Durability) error {
	log, err := open(path)
	if err != nil {
		return err
	}
	s, err := storage.Open(log, storage.SessionOptions{CompactAfter: 500_000, Durability: d})
	if err != nil {
		return err
	}
	for n := lastNumber(s) + 1; ; n++ {
		size := int(n * 7919 % 300_000)
		if err := s.Update(func(db *engine.DB) error { return putNumber(db, n%ring, n, size) }); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func lastNumber(s *storage.Session) (last int64) {
	for i := range int64(ring) {
		last = max(last, numberOf(s, i))
	}
	return last
}

// A child is a running process, its input and its output.
type child struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(t *testing.T, job, path string) child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := child{Cmd: exec.Command(self)}
	c.Env = append(os.Environ(), childJob+"="+job, childPath+"="+path)
	c.Stderr = os.Stderr
	if c.in, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() }) // no child outlives its test
	return c
}
