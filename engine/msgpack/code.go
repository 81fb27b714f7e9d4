package msgpack

// The first byte of a value, by the names of vmihailenco's msgpcode. There
// they are variables, which a switch must load and compare one by one; here
// it can search.
const (
	posFixedNumHigh = 0x7f
	fixedMapLow     = 0x80
	fixedMapHigh    = 0x8f
	fixedArrayLow   = 0x90
	fixedArrayHigh  = 0x9f
	fixedStrLow     = 0xa0
	fixedStrHigh    = 0xbf
	codeNil         = 0xc0
	codeNever       = 0xc1 // starts no value
	codeFalse       = 0xc2
	codeTrue        = 0xc3
	codeBin8        = 0xc4
	codeBin16       = 0xc5
	codeBin32       = 0xc6
	codeExt8        = 0xc7
	codeExt16       = 0xc8
	codeExt32       = 0xc9
	codeFloat       = 0xca
	codeDouble      = 0xcb
	codeUint8       = 0xcc
	codeUint16      = 0xcd
	codeUint32      = 0xce
	codeUint64      = 0xcf
	codeInt8        = 0xd0
	codeInt16       = 0xd1
	codeInt32       = 0xd2
	codeInt64       = 0xd3
	codeFixExt1     = 0xd4
	codeFixExt4     = 0xd6
	codeFixExt8     = 0xd7
	codeFixExt16    = 0xd8
	codeStr8        = 0xd9
	codeStr16       = 0xda
	codeStr32       = 0xdb
	codeArray16     = 0xdc
	codeArray32     = 0xdd
	codeMap16       = 0xde
	codeMap32       = 0xdf
	negFixedNumLow  = 0xe0

	maxFixedStr = fixedStrHigh - fixedStrLow // bytes of the longest text whose length is in the first byte

	timestamp = 0xff // the extension type of a date: -1
)
