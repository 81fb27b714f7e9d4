package msgpack

// ValidateSlowly is Validate without its quick way, to be compared with it.
func ValidateSlowly(b []byte, maxDepth int) (int, error) { return validateSlowly(b, maxDepth) }
