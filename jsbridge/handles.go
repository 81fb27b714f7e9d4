package jsbridge

// A handle names an open database to JavaScript. Its low bits are an index of
// slots, which are used again. The bits above count the uses of the slot, so the
// handle of a closed database never names the next one. 0 names none.
const (
	indexBits = 10
	maxSlots  = 1 << indexBits
	maxUses   = 1 << (31 - indexBits) // a handle fits a JavaScript small integer
)

// handles are the open databases by handle. The zero value has none.
type handles struct {
	slots []slot
}

type slot struct {
	db  *database // nil: free
	use uint32
}

// add returns a handle for db, or 0 if there are 1,024 already.
func (h *handles) add(db *database) uint32 {
	index := 0
	for index < len(h.slots) && h.slots[index].db != nil {
		index++
	}
	if index == maxSlots {
		return 0
	}
	if index == len(h.slots) {
		h.slots = append(h.slots, slot{})
	}
	s := &h.slots[index]
	s.db = db
	s.use = s.use%(maxUses-1) + 1 // from 1, so that no handle is 0
	return s.use<<indexBits | uint32(index)
}

// get returns the database of a handle; nil if it is closed or never was.
func (h *handles) get(handle uint32) *database {
	index := handle % maxSlots
	if int(index) < len(h.slots) && h.slots[index].use == handle>>indexBits {
		return h.slots[index].db
	}
	return nil
}

// remove frees a handle, which names no database from now on.
func (h *handles) remove(handle uint32) {
	if h.get(handle) != nil {
		h.slots[handle%maxSlots].db = nil
	}
}

// isAnyOpen reports whether any database is open.
func (h *handles) isAnyOpen() bool {
	for _, s := range h.slots {
		if s.db != nil {
			return true
		}
	}
	return false
}
