package omemo

import (
	"errors"
	"fmt"
	"io"
)

// Address names one device: the bare address of its account, prepared by the caller (RFC 7622), and its device id.
type Address struct {
	JID    string
	Device uint32
}

// String is for logs and errors.
func (a Address) String() string { return fmt.Sprintf("%s/%d", a.JID, a.Device) }

func (a Address) check() error {
	if a.JID == "" || len(a.JID) > MaxJID || a.Device == 0 || a.Device > MaxID {
		return fmt.Errorf("address %.100q: %w", a.String(), ErrMalformed)
	}
	return nil
}

// session is every ratchet kept with one device, the one to send with first. Older ones stay readable, because two devices that
// begin at the same moment each use the other's for a while.
type session struct {
	states []*state // at most 1 + MaxArchived
}

// current is the state to send with. Every stored session has one.
func (s *session) current() *state { return s.states[0] }

// add makes st the current state. The oldest one falls off.
func (s *session) add(st *state) {
	s.states = append([]*state{st}, s.states...)
	s.trim()
}

// use replaces the state at i by its advanced copy and makes it current.
func (s *session) use(i int, st *state) {
	rest := append(append([]*state{}, s.states[:i]...), s.states[i+1:]...)
	s.states = append([]*state{st}, rest...)
	s.trim()
}

// trim keeps the session within its limits: the skipped keys of all states together too, so that a peer cannot make us store much.
func (s *session) trim() {
	if len(s.states) > 1+MaxArchived {
		s.states = s.states[:1+MaxArchived]
	}
	left := MaxSkip
	for _, st := range s.states {
		if extra := len(st.skipped) - left; extra > 0 {
			st.skipped = st.skipped[extra:]
		}
		left -= len(st.skipped)
	}
}

// opened is what the decryption of one key gave.
type opened struct {
	plaintext []byte
	identity  publicIdentity
	owesReply bool
}

// decryptMessage tries the states in order and advances the one that fits. On an error nothing has changed.
func (p *profile) decryptMessage(s *session, local publicIdentity, m ratchetMessage, random io.Reader) (opened, error) {
	verdict := fmt.Errorf("no state fits: %w", ErrDecrypt)
	for i, st := range s.states {
		c := st.clone()
		plaintext, err := p.decrypt(c, local, m, random)
		if err == nil {
			out := opened{plaintext: plaintext, identity: c.remote, owesReply: c.owesReply(m, false)}
			s.use(i, c)
			return out, nil
		}
		if errors.Is(err, ErrDuplicate) || errors.Is(err, ErrTooFar) && !errors.Is(verdict, ErrDuplicate) {
			verdict = err
		}
	}
	return opened{}, verdict
}

// decryptRepeated reads a message inside a key exchange that already built one of our states. It reports whether there was one.
func (p *profile) decryptRepeated(s *session, local publicIdentity, x keyExchange, m ratchetMessage, random io.Reader) (out opened, known bool, err error) {
	for i, st := range s.states {
		if st.base != x.baseKey || st.remote.curve != x.identity.curve {
			continue
		}
		c := st.clone()
		plaintext, err := p.decrypt(c, local, m, random)
		if err != nil {
			return out, true, err
		}
		out = opened{plaintext: plaintext, identity: c.remote, owesReply: c.owesReply(m, true)}
		s.use(i, c)
		return out, true, nil
	}
	return out, false, nil
}
