package omemo

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Protocol buffers, as little of them as OMEMO and the saved states need: varints and byte strings.

const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// fields is a protobuf message being written.
type fields []byte

func (f *fields) uint(number int, v uint64) {
	*f = binary.AppendUvarint(*f, uint64(number)<<3|wireVarint)
	*f = binary.AppendUvarint(*f, v)
}

func (f *fields) bytes(number int, v []byte) {
	*f = binary.AppendUvarint(*f, uint64(number)<<3|wireBytes)
	*f = binary.AppendUvarint(*f, uint64(len(v)))
	*f = append(*f, v...)
}

// flag writes v only if it is true.
func (f *fields) flag(number int, v bool) {
	if v {
		f.uint(number, 1)
	}
}

// entry is one decoded field: data is nil for a varint, and shares memory with the input otherwise.
type entry struct {
	number int
	value  uint64
	data   []byte
}

// uint32 returns a varint that fits, or an error.
func (f entry) uint32() (uint32, error) {
	if f.data != nil || f.value > math.MaxUint32 {
		return 0, fmt.Errorf("field %d is no 32-bit number: %w", f.number, ErrMalformed)
	}
	return uint32(f.value), nil
}

// bytes returns a byte string, or an error if the field is a number.
func (f entry) bytes() ([]byte, error) {
	if f.data == nil {
		return nil, fmt.Errorf("field %d is no byte string: %w", f.number, ErrMalformed)
	}
	return f.data, nil
}

// key returns a byte string of exactly 32 bytes.
func (f entry) key() (key, error) {
	if len(f.data) != len(key{}) {
		return key{}, fmt.Errorf("field %d is no key: %w", f.number, ErrMalformed)
	}
	return key(f.data), nil
}

// eachField calls use for every field in order. Unknown wire types, overlong varints and truncated fields are errors;
// fixed-width fields, which OMEMO has none of, are passed over.
func eachField(in []byte, use func(entry) error) error {
	for len(in) > 0 {
		f, rest, err := nextField(in)
		if err != nil {
			return err
		}
		in = rest
		if f.number == 0 {
			continue
		}
		if err := use(f); err != nil {
			return err
		}
	}
	return nil
}

// nextField splits the first field off. Its number is 0 if the field is to be passed over.
func nextField(in []byte) (f entry, rest []byte, err error) {
	tag, in, err := uvarint(in)
	if err != nil {
		return f, nil, err
	}
	number := tag >> 3
	if number == 0 || number >= 1<<29 {
		return f, nil, fmt.Errorf("field number %d: %w", number, ErrMalformed)
	}
	f.number = int(number)
	switch tag & 7 {
	case wireVarint:
		f.value, rest, err = uvarint(in)
		return f, rest, err
	case wireBytes:
		f.data, rest, err = byteString(in)
		return f, rest, err
	case wireFixed64:
		return skipFixed(in, 8)
	case wireFixed32:
		return skipFixed(in, 4)
	}
	return f, nil, fmt.Errorf("wire type %d: %w", tag&7, ErrMalformed)
}

func uvarint(in []byte) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(in)
	if n <= 0 {
		return 0, nil, fmt.Errorf("varint: %w", ErrMalformed)
	}
	return v, in[n:], nil
}

// byteString never returns nil data without an error: nil marks a number.
func byteString(in []byte) (data, rest []byte, err error) {
	n, in, err := uvarint(in)
	if err != nil {
		return nil, nil, err
	}
	if n > uint64(len(in)) {
		return nil, nil, fmt.Errorf("byte string is cut short: %w", ErrMalformed)
	}
	if n == 0 {
		return []byte{}, in, nil
	}
	return in[:n:n], in[n:], nil
}

func skipFixed(in []byte, size int) (entry, []byte, error) {
	if len(in) < size {
		return entry{}, nil, fmt.Errorf("fixed field is cut short: %w", ErrMalformed)
	}
	return entry{}, in[size:], nil
}

// once refuses a field that occurs twice: which of the two counts is not for an attacker to choose.
type once uint64

func (o *once) see(number int) error {
	if number > 63 || number < 0 {
		return nil
	}
	if *o&(1<<number) != 0 {
		return fmt.Errorf("field %d occurs twice: %w", number, ErrMalformed)
	}
	*o |= 1 << number
	return nil
}

// has reports whether every one of numbers was seen.
func (o once) has(numbers ...int) bool {
	for _, n := range numbers {
		if o&(1<<n) == 0 {
			return false
		}
	}
	return true
}
