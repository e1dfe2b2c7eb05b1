package qr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Object is one data object of an EMVCo code: two digits, a length in characters, and a value of 1 to 99 characters (EMV QRCPS MPM §3.2).
type Object struct {
	ID    string
	Value string
	// Objects are those within the value, of a template; then Value is not used.
	Objects []Object
}

const (
	maxValue   = 99
	maxPayload = 512 // characters, EMV QRCPS MPM §3.2
	maxDepth   = 2   // templates of a network's own, within the additional data, are the deepest
)

// length counts as EMVCo does: characters, of which 最 is one.
func length(s string) int { return utf8.RuneCountInString(s) }

func (o Object) value() string {
	if o.Objects == nil {
		return o.Value
	}
	return join(o.Objects)
}

func join(objects []Object) string {
	var b strings.Builder
	for _, o := range objects {
		value := o.value()
		fmt.Fprintf(&b, "%s%02d%s", o.ID, length(value), value)
	}
	return b.String()
}

// readObjects takes a text apart. within is the way to it; template says which objects have others within.
func readObjects(text, within string, depth int, template func(within, id string) bool) ([]Object, error) {
	objects := []Object{}
	seen := map[string]bool{}
	for text != "" {
		if len(text) < 5 || !only(text[:4], digits) {
			return nil, fault(Broken, within+"length")
		}
		id := text[:2]
		where := within + id
		size := int(text[2]-'0')*10 + int(text[3]-'0')
		end := 4 + bytesOf(text[4:], size)
		switch {
		case size == 0 || end < 4:
			return nil, fault(Broken, where)
		case seen[id]:
			return nil, fault(Twice, where)
		case !plain(text[4:end]):
			return nil, fault(Value, where)
		}
		seen[id] = true
		o := Object{ID: id, Value: text[4:end]}
		if depth < maxDepth && template(within, id) {
			inner, err := readObjects(o.Value, where+".", depth+1, template)
			if err != nil {
				return nil, err
			}
			o = Object{ID: id, Objects: inner}
		}
		objects = append(objects, o)
		text = text[end:]
	}
	return objects, nil
}

// bytesOf is how many bytes the first characters of a text are, far below zero if it has fewer.
func bytesOf(text string, characters int) int {
	for at := range text {
		if characters == 0 {
			return at
		}
		characters--
	}
	if characters == 0 {
		return len(text)
	}
	return -maxPayload
}

// find is an object by its id, nil if it is not there.
func find(objects []Object, id string) *Object {
	for i := range objects {
		if objects[i].ID == id {
			return &objects[i]
		}
	}
	return nil
}

// checksum is CRC-16 with the polynomial 0x1021, beginning with 0xFFFF (EMV QRCPS MPM §4.7.3).
func checksum(text string) string {
	crc := uint16(0xFFFF)
	for i := range len(text) {
		crc ^= uint16(text[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return fmt.Sprintf("%04X", crc)
}
