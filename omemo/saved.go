package omemo

import "fmt"

// Saved states: one byte of format, then protobuf fields. A field number is never reused; an unknown field is an error, because
// a state written by a newer program must not be half understood.

const stateFormat = 1

// kind starts every saved state, so that one is never read as another.
const (
	kindOwner   = 1
	kindSession = 2
	kindTrust   = 3
)

func newSaved(kind byte) fields { return fields{stateFormat, kind} }

// eachSaved reads a saved state of a kind.
func eachSaved(in []byte, kind byte, use func(entry) error) error {
	if len(in) < 2 || in[0] != stateFormat || in[1] != kind {
		return fmt.Errorf("format: %w", ErrState)
	}
	if err := eachField(in[2:], use); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

func unknownField(f entry) error { return fmt.Errorf("field %d: %w", f.number, ErrState) }

func (o *owner) save() []byte {
	f := newSaved(kindOwner)
	f.uint(1, uint64(o.device))
	f.bytes(2, o.identity.private[:])
	for i := range o.pools {
		f.bytes(3, o.pools[i].save())
	}
	return f
}

func loadOwner(in []byte) (o owner, err error) {
	pools := 0
	err = eachSaved(in, kindOwner, func(f entry) (err error) {
		switch f.number {
		case 1:
			o.device, err = f.uint32()
		case 2:
			o.identity, err = f.pair()
		case 3:
			if pools == len(o.pools) {
				return unknownField(f)
			}
			o.pools[pools], err = loadPool(f.data)
			pools++
		default:
			err = unknownField(f)
		}
		return err
	})
	if err == nil && (o.device == 0 || o.device > MaxID || o.identity == keyPair{} || pools != len(o.pools)) {
		err = fmt.Errorf("a field is missing: %w", ErrState)
	}
	if err != nil {
		return owner{}, fmt.Errorf("load the device: %w", err)
	}
	return o, nil
}

// pair reads a private key and derives the public one.
func (f entry) pair() (keyPair, error) {
	private, err := f.key()
	if err != nil {
		return keyPair{}, err
	}
	return pairOf(private)
}

func (p *pool) save() []byte {
	var f fields
	f.uint(1, uint64(p.nextSigned))
	f.uint(2, uint64(p.next))
	for _, k := range p.signed {
		f.bytes(3, k.save())
	}
	for _, k := range p.oneTime {
		f.bytes(4, k.save())
	}
	for _, k := range p.held {
		f.bytes(5, k.save())
	}
	return f
}

func loadPool(in []byte) (p pool, err error) {
	err = eachField(in, func(f entry) (err error) {
		switch f.number {
		case 1:
			p.nextSigned, err = f.uint32()
		case 2:
			p.next, err = f.uint32()
		case 3:
			p.signed, err = appendLoaded(p.signed, f, 2, loadSigned)
		case 4:
			p.oneTime, err = appendLoaded(p.oneTime, f, preKeyTarget, loadNumbered)
		case 5:
			p.held, err = appendLoaded(p.held, f, maxHeld, loadHeld)
		default:
			err = unknownField(f)
		}
		return err
	})
	if err == nil && len(p.signed) == 0 {
		err = fmt.Errorf("no signed prekey: %w", ErrState)
	}
	return p, err
}

// appendLoaded loads one more element of a list with a limit.
func appendLoaded[T any](list []T, f entry, limit int, load func([]byte) (T, error)) ([]T, error) {
	if len(list) >= limit {
		return list, fmt.Errorf("more than %d of field %d: %w", limit, f.number, ErrState)
	}
	data, err := f.bytes()
	if err != nil {
		return list, err
	}
	element, err := load(data)
	return append(list, element), err
}

// append adds a number to a list with a limit.
func (f entry) append(list *[]uint32, limit int) error {
	if len(*list) >= limit {
		return fmt.Errorf("more than %d of field %d: %w", limit, f.number, ErrState)
	}
	n, err := f.uint32()
	*list = append(*list, n)
	return err
}

func (k *numberedPair) save() []byte {
	var f fields
	f.uint(1, uint64(k.id))
	f.bytes(2, k.private[:])
	f.bytes(3, k.public[:])
	return f
}

func (k *signedPair) save() []byte {
	f := fields(k.numberedPair.save())
	f.bytes(4, k.signature)
	f.uint(5, uint64(k.made))
	return f
}

func (k *heldPair) save() []byte {
	f := fields(k.numberedPair.save())
	f.uint(6, uint64(k.beside))
	return f
}

func loadNumbered(in []byte) (numberedPair, error) {
	k, _, err := loadPair(in)
	return k.numberedPair, err
}

func loadSigned(in []byte) (signedPair, error) {
	k, _, err := loadPair(in)
	return k, err
}

func loadHeld(in []byte) (heldPair, error) {
	k, beside, err := loadPair(in)
	return heldPair{k.numberedPair, beside}, err
}

// loadPair trusts the public key beside the private one: deriving hundreds at every change would take milliseconds.
func loadPair(in []byte) (k signedPair, beside uint32, err error) {
	err = eachField(in, func(f entry) (err error) {
		switch f.number {
		case 1:
			k.id, err = f.uint32()
		case 2:
			k.private, err = f.key()
		case 3:
			k.public, err = f.key()
		case 4:
			k.signature, err = f.bytes()
		case 5:
			k.made = int64(f.value)
		case 6:
			beside, err = f.uint32()
		default:
			err = unknownField(f)
		}
		return err
	})
	return k, beside, err
}
