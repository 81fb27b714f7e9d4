package query

// Operators returns the table.
func Operators() []Operator { return operators[:] }
