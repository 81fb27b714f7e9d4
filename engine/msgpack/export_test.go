package msgpack

// ValidateSlowly is Validate without measure, which may only ever be faster.
func ValidateSlowly(b []byte, maxDepth int) (int, error) { return validateSlowly(b, maxDepth) }

// Measure is what Validate tries first.
func Measure(b []byte, maxDepth int) int { return measure(b, maxDepth) }
