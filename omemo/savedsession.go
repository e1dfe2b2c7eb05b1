package omemo

import "fmt"

func (s *session) save() []byte {
	f := newSaved(kindSession)
	for _, st := range s.states {
		f.bytes(1, st.save())
	}
	return f
}

func loadSession(in []byte) (*session, error) {
	s := &session{}
	err := eachSaved(in, kindSession, func(f entry) (err error) {
		if f.number != 1 {
			return unknownField(f)
		}
		s.states, err = appendLoaded(s.states, f, 1+MaxArchived, loadState)
		return err
	})
	if err == nil && len(s.states) == 0 {
		err = fmt.Errorf("no state: %w", ErrState)
	}
	if err != nil {
		return nil, fmt.Errorf("load a session: %w", err)
	}
	return s, nil
}

func (s *state) save() []byte {
	var f fields
	f.bytes(1, s.remote.curve[:])
	f.bytes(2, s.remote.ed[:])
	f.bytes(3, s.base[:])
	f.flag(4, s.initiated)
	if s.pending != nil {
		f.uint(5, uint64(s.pending.preKey))
		f.uint(6, uint64(s.pending.signedPreKey))
	}
	f.bytes(7, s.root[:])
	f.bytes(8, s.send.pair.private[:])
	f.bytes(9, s.send.pair.public[:])
	f.bytes(10, s.send.chain[:])
	f.uint(11, uint64(s.send.next))
	f.uint(12, uint64(s.previous))
	for _, c := range s.receive {
		f.bytes(13, c.save())
	}
	for _, k := range s.skipped {
		f.bytes(14, k.save())
	}
	return f
}

func loadState(in []byte) (*state, error) {
	s := &state{}
	err := eachField(in, s.loadField)
	if err == nil && (s.send.pair.private == key{} || s.remote.curve == key{}) {
		err = fmt.Errorf("a field is missing: %w", ErrState)
	}
	return s, err
}

func (s *state) loadField(f entry) (err error) {
	switch f.number {
	case 1:
		s.remote.curve, err = f.key()
	case 2:
		s.remote.ed, err = f.key()
	case 3:
		s.base, err = f.key()
	case 4:
		s.initiated = f.value != 0
	case 5:
		err = f.into(&s.pendingExchange().preKey)
	case 6:
		err = f.into(&s.pendingExchange().signedPreKey)
	case 7:
		s.root, err = f.key()
	case 8:
		s.send.pair.private, err = f.key()
	case 9:
		s.send.pair.public, err = f.key()
	case 10:
		s.send.chain, err = f.key()
	case 11:
		err = f.into(&s.send.next)
	case 12:
		err = f.into(&s.previous)
	case 13:
		s.receive, err = appendLoaded(s.receive, f, maxChains, loadChain)
	case 14:
		s.skipped, err = appendLoaded(s.skipped, f, MaxSkip, loadSkipped)
	default:
		err = unknownField(f)
	}
	return err
}

// pendingExchange returns the exchange being loaded.
func (s *state) pendingExchange() *pendingExchange {
	if s.pending == nil {
		s.pending = &pendingExchange{}
	}
	return s.pending
}

// into stores a 32-bit number.
func (f entry) into(to *uint32) (err error) {
	*to, err = f.uint32()
	return err
}

func (c *receiveChain) save() []byte {
	var f fields
	f.bytes(1, c.ratchetKey[:])
	f.bytes(2, c.chain[:])
	f.uint(3, uint64(c.next))
	f.flag(4, c.closed)
	f.flag(5, c.answered)
	return f
}

func loadChain(in []byte) (c receiveChain, err error) {
	err = eachField(in, func(f entry) (err error) {
		switch f.number {
		case 1:
			c.ratchetKey, err = f.key()
		case 2:
			c.chain, err = f.key()
		case 3:
			c.next, err = f.uint32()
		case 4:
			c.closed = f.value != 0
		case 5:
			c.answered = f.value != 0
		default:
			err = unknownField(f)
		}
		return err
	})
	return c, err
}

func (k *skippedKey) save() []byte {
	var f fields
	f.bytes(1, k.ratchetKey[:])
	f.uint(2, uint64(k.counter))
	f.bytes(3, k.seed[:])
	return f
}

func loadSkipped(in []byte) (k skippedKey, err error) {
	err = eachField(in, func(f entry) (err error) {
		switch f.number {
		case 1:
			k.ratchetKey, err = f.key()
		case 2:
			k.counter, err = f.uint32()
		case 3:
			k.seed, err = f.key()
		default:
			err = unknownField(f)
		}
		return err
	})
	return k, err
}
