package engine

// Dump lists everything a batch carries, for tests to compare: per collection
// its documents in order, the next id and the declared orders.
func (db *DB) Dump() map[string][]string {
	dump := map[string][]string{}
	for name, c := range db.collections {
		lines := []string{string(rune(c.nextID))}
		for _, o := range c.orders {
			lines = append(lines, o.name(), boolText[o.unique], boolText[o.sparse])
		}
		for slot := range c.refs {
			if doc := c.doc(uint32(slot)); doc != nil {
				lines = append(lines, string(doc))
			}
		}
		dump[name] = lines
	}
	return dump
}

var boolText = map[bool]string{true: "yes", false: "no"}
