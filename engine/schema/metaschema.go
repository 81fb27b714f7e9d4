package schema

// metaschemaAddress is what the addresses of the standard's own schemas begin with.
const metaschemaAddress = "https://json-schema.org/draft/2020-12/"

// metaschema returns the schema of that name among the standard's own; nil if there
// is none. The text is written by TestMetaschemas: package embed would bring package
// time along.
func metaschema(name string) []byte { return lookup([]byte(metaschemas), name) }
