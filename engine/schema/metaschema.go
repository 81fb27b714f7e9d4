package schema

import _ "embed"

// metaschemaAddress is what the addresses of the standard's own schemas begin with.
const metaschemaAddress = "https://json-schema.org/draft/2020-12/"

// metaschemas are the schemas of schemas, by what follows metaschemaAddress, as one
// MessagePack map. TestMetaschemas writes the file.
//
//go:embed metaschemas.msgpack
var metaschemas []byte
