package jsbridge

import (
	"encoding/binary"
	"errors"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A Bridge runs JavaScript's calls on the databases it has open. Like the engine
// it is for one goroutine at a time, which in JavaScript is the event loop.
type Bridge struct {
	buffers
	handles
	names      map[string]string // collection names as strings
	last       string            // the collection name of the last call
	sinceYield int               // bytes of arguments and results; see ShouldYield
	yields     uint32            // how often ShouldYield has said yes; JavaScript reads it in memory
	sql        statements        // the SQL statements that came last
	call       call              // the call that runs; kept here, because a new one would cost an allocation
}

// New returns a Bridge that has no database open.
func New() *Bridge {
	return &Bridge{
		buffers: buffers{in: newBuffer(0), out: newBuffer(0)},
		names:   map[string]string{},
	}
}

// Input returns the in-buffer with room for n bytes of arguments, which the
// caller writes before Call; nil if n is more than one call may take.
func (b *Bridge) Input(n int) []byte { return b.buffers.input(n) }

// Output returns the out-buffer, whose first bytes are the result of the last
// Call.
func (b *Bridge) Output() []byte { return b.out[:cap(b.out)] }

// Open makes a session's engine callable and returns its handle, or CodeInvalid
// if too many are open.
func (b *Bridge) Open(session *storage.Session) (uint32, error) {
	handle := b.handles.add(&database{session: session})
	if handle == 0 {
		return 0, engine.Fail(engine.CodeInvalid, "open", "", "1,024 databases are open already")
	}
	return handle, nil
}

// Session returns the session of an open database, or CodeClosed.
func (b *Bridge) Session(op string, handle uint32) (*storage.Session, error) {
	d, err := b.database(op, handle)
	if err != nil {
		return nil, err
	}
	return d.session, nil
}

// Release forgets a handle and returns its session, which the caller closes; nil
// if the handle is closed already. Later calls with the handle return CodeClosed.
func (b *Bridge) Release(handle uint32) *storage.Session {
	d := b.handles.get(handle)
	if d == nil {
		return nil
	}
	b.handles.remove(handle)
	b.call = call{} // it may refer to the engine, and so keep all its documents in memory
	return d.session
}

// Version returns the number of a database's state. While it is the same, every op
// that changes nothing returns the same. Two versions of one engine differ by the
// number of changes between them, which the op stillValid takes. It is 0 if the
// database is not open, or not usable.
func (b *Bridge) Version(handle uint32) uint64 {
	d := b.handles.get(handle)
	if d == nil {
		return 0
	}
	return d.version()
}

// Head returns the number of the newest batch that a database holds; 0 if the
// database is not open.
func (b *Bridge) Head(handle uint32) uint64 {
	d := b.handles.get(handle)
	if d == nil {
		return 0
	}
	return d.session.Head()
}

func (b *Bridge) database(op string, handle uint32) (*database, error) {
	d := b.handles.get(handle)
	if d == nil {
		return nil, engine.Fail(engine.CodeClosed, op, "", "the database is not open")
	}
	return d, d.usable()
}

// Call runs the op of that number on the database of that handle, with the
// first n bytes of the in-buffer as its arguments. It returns how many bytes of
// result the out-buffer holds. Below 0 it is the complement of how many bytes of
// error there are: a MessagePack array of code, message and, of what breaks a schema,
// the faults, each as [path, keyword, message].
//
// It never panics: a panic in the op becomes CodeInternal, and the changes of the
// call are undone.
func (b *Bridge) Call(handle, number uint32, n int) (result int32) {
	name := "call"
	defer func() {
		if p := recover(); p != nil {
			result = b.refuse(panicked(name, p))
		}
	}()
	b.out = b.output()
	o := opOf(number)
	if o == nil {
		return b.refuse(engine.Fail(engine.CodeInvalid, name, "", "there is no op of this number"))
	}
	name = o.name
	if n < 0 || n > cap(b.in) {
		return b.refuse(engine.Fail(engine.CodeInvalid, name, "", "the arguments are longer than the buffer"))
	}
	out, err := b.run(o, handle, n)
	b.mangle(n)
	b.releaseInput()
	b.sinceYield += yieldAfter/yieldCalls + n + len(out)
	if err != nil {
		return b.refuse(err)
	}
	b.out = out
	return int32(len(out))
}

// run runs one op, and undoes its changes if it panics.
func (b *Bridge) run(o *op, handle uint32, n int) ([]byte, error) {
	c := &b.call
	c.bridge, c.database, c.out = b, nil, b.out
	c.args.start(o, b.in[:n])
	if handle != 0 || !o.free {
		d, err := b.database(o.name, handle)
		if err != nil {
			return nil, err
		}
		c.database = d
	}
	var err error
	if o.writes {
		err = c.database.attempt(c)
	} else {
		err = o.run(c)
	}
	return c.out, err
}

// refuse makes err the result.
func (b *Bridge) refuse(err error) int32 {
	faults := faultsOf(err)
	parts := 2
	if faults != nil {
		parts = 3
	}
	out := msgpack.AppendArray(b.out[:0], parts)
	out = msgpack.AppendString(out, string(engine.CodeOf(err)))
	out = msgpack.AppendString(out, err.Error())
	if faults != nil {
		out = msgpack.AppendArray(out, len(faults))
		for _, f := range faults {
			out = msgpack.AppendArray(out, 3)
			for _, text := range []string{f.Path, f.Keyword, f.Message} {
				out = msgpack.AppendString(out, text)
			}
		}
	}
	b.out = out
	return ^int32(len(out))
}

// faultsOf returns what is wrong with a document that breaks a schema; nil of other
// errors.
func faultsOf(err error) []schema.Fault {
	var faults *schema.Faults
	if errors.As(err, &faults) {
		return faults.List
	}
	return nil
}

// ShouldYield says yes after yieldAfter bytes of arguments and results, or after
// yieldCalls calls.
const (
	yieldAfter = 64 << 10
	yieldCalls = 64
)

// ShouldYield reports whether the caller should yield to the scheduler before the
// next call, and starts counting again if so; see the package comment.
func (b *Bridge) ShouldYield() bool {
	if b.sinceYield < yieldAfter {
		return false
	}
	b.sinceYield = 0
	b.yields++
	return true
}

// A call is one run of an op.
type call struct {
	bridge   *Bridge
	database *database
	args
	out []byte // the result, to append to
}

// db returns the engine. No call keeps it: a session has another engine after it
// has read a snapshot.
func (c *call) db() *engine.DB { return c.database.session.DB() }

// collection returns the next argument, a collection's name.
func (c *call) collection() string {
	text, b := c.text(), c.bridge
	if string(text) == b.last {
		return b.last
	}
	name, known := b.names[string(text)]
	if !known {
		if len(b.names) >= 1000 {
			clear(b.names)
		}
		name = string(text) // the allocation that names saves
		b.names[name] = name
	}
	b.last = name
	return name
}

// integer makes n the result.
func (c *call) integer(n int, err error) error {
	c.out = msgpack.AppendInt(c.out, int64(n))
	return err
}

// value makes a copy of v the result.
func (c *call) value(v []byte, err error) error {
	c.out = append(c.out, v...)
	return err
}

// piece appends the next documents of the cursor: how many there are, how many
// are left, and the documents.
func (c *call) piece() error { return c.pieceOf(pieceBytes) }

// pieceOf is piece with at least so many bytes of documents, if there are so many.
func (c *call) pieceOf(atLeast int) error {
	start := len(c.out)
	c.out = append(c.out, make([]byte, 8)...)
	var count, left int
	c.out, count, left = c.database.cursor.Next(c.out, atLeast)
	binary.LittleEndian.PutUint32(c.out[start:], uint32(count))
	binary.LittleEndian.PutUint32(c.out[start+4:], uint32(left))
	if left == 0 {
		c.database.cursor = nil
	}
	return nil
}
