package transport

import (
	"io"
	"sync"
)

// Sizes of the buffers: what a stream holds while nothing arrives, what it borrows while much does, and the largest that is lent.
const (
	smallBuffer = 256
	largeBuffer = 16 << 10
)

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// input holds the bytes that arrived and were not taken yet. It keeps a small buffer, and borrows a large one while that is not
// enough.
type input struct {
	small    []byte
	buf      []byte // small, borrowed, or made for one large element
	from, to int
	borrowed *[largeBuffer]byte
	full     bool // the last read filled the buffer: more is waiting
}

func (in *input) bytes() []byte { return in.buf[in.from:in.to] }

func (in *input) len() int { return in.to - in.from }

// drop takes n bytes away.
func (in *input) drop(n int) { in.from += n }

// fill reads once, after making room.
func (in *input) fill(r io.Reader) (int, error) {
	in.makeRoom()
	n, err := r.Read(in.buf[in.to:])
	in.to += n
	in.full = in.to == len(in.buf)
	return n, err
}

func (in *input) makeRoom() {
	if in.len() == 0 {
		in.from, in.to = 0, 0
		if in.full {
			in.borrow()
		} else {
			in.rest()
		}
		return
	}
	if in.from > 0 && in.from >= len(in.buf)/2 {
		in.to = copy(in.buf, in.buf[in.from:in.to])
		in.from = 0
	}
	if in.to == len(in.buf) {
		in.grow()
	}
}

// rest goes back to the small buffer; the input is empty.
func (in *input) rest() {
	in.giveBack()
	if in.small == nil {
		in.small = make([]byte, smallBuffer)
	}
	in.buf = in.small
}

// borrow goes over to a large buffer; the input is empty.
func (in *input) borrow() {
	if in.borrowed == nil {
		in.borrowed = largeBuffers.Get().(*[largeBuffer]byte)
	}
	in.buf = in.borrowed[:]
}

// grow goes over to a larger buffer and takes the bytes along. Framing refuses elements over the limit, which bounds it.
func (in *input) grow() {
	held := in.bytes()
	if len(in.buf) < largeBuffer {
		in.borrowed = largeBuffers.Get().(*[largeBuffer]byte)
		in.to = copy(in.borrowed[:], held)
		in.buf, in.from = in.borrowed[:], 0
		return
	}
	larger := make([]byte, 2*len(in.buf))
	in.to = copy(larger, held)
	in.giveBack()
	in.buf, in.from = larger, 0
}

func (in *input) giveBack() {
	if in.borrowed != nil {
		largeBuffers.Put(in.borrowed)
		in.borrowed = nil
	}
}

// release lets go of everything.
func (in *input) release() {
	in.giveBack()
	*in = input{}
}

var outs = sync.Pool{New: func() any { return new([]byte) }}

// takeOut lends an empty buffer with room for size bytes.
func takeOut(size int) *[]byte {
	out := outs.Get().(*[]byte)
	if cap(*out) < size {
		*out = make([]byte, 0, max(size, 4<<10))
	}
	*out = (*out)[:0]
	return out
}

func giveOut(out *[]byte) {
	if cap(*out) <= maxPooled {
		outs.Put(out)
	}
}
