package jsbridge

// Handles name open databases to JavaScript. The low bits are a place, which
// is used again; the bits above count how often, so the handle of a closed
// database never means the next one. 0 names none.
const (
	placeBits = 10
	places    = 1 << placeBits
	uses      = 1 << (31 - placeBits) // a handle fits a JavaScript small integer
)

// handles is the open databases by handle. The zero value has none.
type handles struct {
	slots []slot
}

type slot struct {
	db  *database // nil: free
	use uint32
}

// add returns a handle for db, or 0 if there are 1,024 already.
func (h *handles) add(db *database) uint32 {
	place := 0
	for place < len(h.slots) && h.slots[place].db != nil {
		place++
	}
	if place == places {
		return 0
	}
	if place == len(h.slots) {
		h.slots = append(h.slots, slot{})
	}
	s := &h.slots[place]
	s.db = db
	s.use = s.use%(uses-1) + 1 // from 1, so that no handle is 0
	return s.use<<placeBits | uint32(place)
}

// get returns the database of a handle; nil if it is closed or never was.
func (h *handles) get(handle uint32) *database {
	place := handle % places
	if int(place) < len(h.slots) && h.slots[place].use == handle>>placeBits {
		return h.slots[place].db
	}
	return nil
}

// remove frees a handle, which names nothing from now on.
func (h *handles) remove(handle uint32) {
	if h.get(handle) != nil {
		h.slots[handle%places].db = nil
	}
}
