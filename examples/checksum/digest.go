package main

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"sync"
)

type digest [sha256.Size]byte

// hasher is what it takes to hash one file after another. There are as many as
// files are hashed at the same time.
type hasher struct {
	hash   hash.Hash
	buffer []byte
}

// bufferSize is how much is read at once. From 16 to 256 KiB the times are alike.
const bufferSize = 64 << 10

var hashers = sync.Pool{New: func() any {
	return &hasher{sha256.New(), make([]byte, bufferSize)}
}}

// hash reads a file to its end, or until ctx ends.
func (p *program) hash(ctx context.Context, name string) (digest, error) {
	file, err := p.open(name)
	if err != nil {
		return digest{}, err
	}
	defer file.Close()
	return p.digest(ctx, file)
}

func (p *program) digest(ctx context.Context, r io.Reader) (sum digest, err error) {
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	h.hash.Reset()
	_, err = io.CopyBuffer(h.hash, &input{ctx, r, p.progress}, h.buffer)
	h.hash.Sum(sum[:0])
	p.progress.file()
	return sum, err
}

// input is a file that ends with ctx, so that Ctrl-C need not wait for a big
// one. It also hides the file's WriteTo, with which CopyBuffer would leave the
// buffer unused.
type input struct {
	ctx      context.Context
	file     io.Reader
	progress *progress
}

func (in *input) Read(b []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.file.Read(b)
	in.progress.read(n)
	return n, err
}
