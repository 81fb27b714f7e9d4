package schema

// CompileSlowly is Compile without the quick way to see that a value fits, to be
// compared with it.
func CompileSlowly(source []byte, o Options) (*Schema, error) { return compile(source, o, false) }

// The formats that have a quick way, with and without it.
var (
	IsDateTime       = isDateTime
	IsDateTimeSlowly = isDateTimeSlowly
	IsEmail          = isEmail
	IsEmailSlowly    = func(text []byte) bool { return isAddress(text, false) }
)
