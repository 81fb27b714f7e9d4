package sealedlog

import (
	"bytes"
	"compress/zlib"
	"io"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// maxUnpacked is how many bytes so many bytes of zlib may stand for: compressed data can
// be a thousand times as many, and real documents seldom reach 20 times.
func maxUnpacked(packed int, most int64) int64 {
	if most > 0 {
		return most
	}
	return min(512<<20, max(64<<20, 200*int64(packed)))
}

func deflate(data []byte, level int) ([]byte, error) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// inflate returns what data stands for, which is length bytes. Next to nothing is
// allocated beyond what is there.
func inflate(data []byte, length int, most int64) ([]byte, error) {
	if most = maxUnpacked(len(data), most); int64(length) > most {
		return nil, damaged("it is more than " + strconv.FormatInt(most, 10) + " bytes when it is decompressed; if it can be trusted, Options.MaxUnpackedBytes allows more")
	}
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, badZlib(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, int64(length)+1)); err != nil {
		return nil, badZlib(err)
	}
	return b.Bytes(), nil
}

func badZlib(err error) error {
	return &engine.Error{Code: engine.CodeCorrupt, Op: "unseal", Target: "record", Err: err}
}
