package omemo

import (
	"fmt"
	"io"
	"math"
)

// state is one Double Ratchet with one device: what a single key exchange began.
type state struct {
	remote    publicIdentity
	base      key  // the initiator's ephemeral key: tells a repeated key exchange from a new one
	initiated bool // by us
	pending   *pendingExchange

	root     key
	send     sendChain
	receive  []receiveChain // oldest first, at most maxChains
	skipped  []skippedKey   // oldest first
	previous uint32         // messages in our sending chain before this one
}

// pendingExchange is repeated with every message until the first reply is decrypted.
type pendingExchange struct{ preKey, signedPreKey uint32 }

type sendChain struct {
	pair  keyPair
	chain key
	next  uint32 // counter of the next message
}

type receiveChain struct {
	ratchetKey key
	chain      key // zero once closed
	next       uint32
	closed     bool // the peer said how many messages it held, and the keys of the missing ones are kept
	answered   bool // we have sent something since: no heartbeat is owed
}

type skippedKey struct {
	ratchetKey key
	counter    uint32
	seed       key
}

// clone copies everything that decrypt changes.
func (s *state) clone() *state {
	c := *s
	c.receive = append([]receiveChain(nil), s.receive...)
	c.skipped = append([]skippedKey(nil), s.skipped...)
	return &c
}

// rootStep mixes a new agreement into the root key and returns the chain that springs from it.
func (p *profile) rootStep(s *state, private, public key) (chain key, err error) {
	secret, err := agree(private, public)
	if err != nil {
		return chain, err
	}
	out, err := derive(secret, s.root[:], p.infoRoot, 64)
	if err != nil {
		return chain, err
	}
	s.root = key(out[:32])
	return key(out[32:]), nil
}

// turnSending draws a new ratchet key pair and opens the sending chain towards the remote ratchet key.
func (p *profile) turnSending(s *state, remote key, random io.Reader) error {
	pair, err := newKeyPair(random)
	if err != nil {
		return err
	}
	chain, err := p.rootStep(s, pair.private, remote)
	if err != nil {
		return fmt.Errorf("turn the sending ratchet: %w", err)
	}
	s.previous, s.send = s.send.next, sendChain{pair: pair, chain: chain}
	return nil
}

// encrypt makes the next message of s: a ratchet message, or a key exchange around it while no reply was seen.
func (p *profile) encrypt(s *state, local publicIdentity, device uint32, plaintext []byte) (data []byte, exchange bool, err error) {
	if s.send.next == math.MaxUint32 {
		return nil, false, fmt.Errorf("sending chain is exhausted: %w", ErrTooLarge)
	}
	seed, next := s.send.chain.advance()
	keys, err := deriveSealKeys(seed[:], p.infoMessage)
	if err != nil {
		return nil, false, err
	}
	ciphertext, err := keys.encrypt(plaintext)
	if err != nil {
		return nil, false, err
	}
	signed := p.encodeMessage(ratchetMessage{
		ratchetKey: s.send.pair.public, counter: s.send.next, previous: s.previous, ciphertext: ciphertext,
	})
	ad := p.associatedData(local, s.remote, true, s.initiated)
	data = p.appendMAC(signed, mac(keys.mac, ad, signed)[:p.macSize])
	s.send.chain, s.send.next = next, s.send.next+1
	for i := range s.receive {
		s.receive[i].answered = true
	}
	if s.pending == nil {
		return data, false, nil
	}
	return p.encodeExchange(keyExchange{
		registration: device, preKey: s.pending.preKey, signedPreKey: s.pending.signedPreKey,
		baseKey: s.base, identity: local, message: data,
	}), true, nil
}

// decrypt changes s as it goes, so it is given a copy, which the caller keeps only if there is no error.
func (p *profile) decrypt(s *state, local publicIdentity, m ratchetMessage, random io.Reader) ([]byte, error) {
	seed, turning, err := p.findSeed(s, m)
	if err != nil {
		return nil, err
	}
	plaintext, err := p.open(s, local, m, seed)
	if err != nil {
		return nil, err
	}
	s.pending = nil
	if !turning {
		return plaintext, nil
	}
	return plaintext, p.turnSending(s, m.ratchetKey, random)
}

// findSeed finds the key of a message: kept from when it was skipped, on a chain we know, or on a new one, which turns the ratchet.
func (p *profile) findSeed(s *state, m ratchetMessage) (seed key, turning bool, err error) {
	if seed, ok := s.takeSkipped(m); ok {
		return seed, false, nil
	}
	if turning = s.chainOf(m.ratchetKey) == nil; turning {
		if err := p.turnReceiving(s, m); err != nil {
			return seed, true, err
		}
	}
	seed, err = s.seedOf(m)
	return seed, turning, err
}

// open verifies the MAC over the received bytes, then decrypts.
func (p *profile) open(s *state, local publicIdentity, m ratchetMessage, seed key) ([]byte, error) {
	keys, err := deriveSealKeys(seed[:], p.infoMessage)
	if err != nil {
		return nil, err
	}
	ad := p.associatedData(local, s.remote, false, s.initiated)
	if !sameMAC(mac(keys.mac, ad, m.signed)[:p.macSize], m.mac) {
		return nil, fmt.Errorf("mac of message %d: %w", m.counter, ErrDecrypt)
	}
	return keys.decrypt(m.ciphertext)
}

// turnReceiving opens the chain of a ratchet key not seen before.
func (p *profile) turnReceiving(s *state, m ratchetMessage) error {
	if m.counter > MaxSkip { // before anything expensive
		return fmt.Errorf("message %d of a new chain: %w", m.counter, ErrTooFar)
	}
	chain, err := p.rootStep(s, s.send.pair.private, m.ratchetKey)
	if err != nil {
		return fmt.Errorf("turn the receiving ratchet: %w", err)
	}
	if n := len(s.receive); n > 0 && p.countsChain {
		s.close(&s.receive[n-1], m.previous)
	}
	s.receive = append(s.receive, receiveChain{ratchetKey: m.ratchetKey, chain: chain})
	if extra := len(s.receive) - maxChains; extra > 0 {
		s.receive = s.receive[extra:]
	}
	return nil
}

// close keeps the keys of the messages that the peer sent before it turned and that are still on their way. If it claims more than
// MaxSkip of them the chain stays open instead: a long silence must not end the conversation.
func (s *state) close(c *receiveChain, length uint32) {
	if c.closed || length > c.next && length-c.next > MaxSkip {
		return
	}
	for c.next < length {
		s.skip(c)
	}
	c.closed, c.chain = true, key{}
}

// skip takes one step on a chain and keeps the key of the message that was not seen. The session trims the list before it is saved.
func (s *state) skip(c *receiveChain) {
	seed, next := c.chain.advance()
	s.skipped = append(s.skipped, skippedKey{ratchetKey: c.ratchetKey, counter: c.next, seed: seed})
	c.chain, c.next = next, c.next+1
}

// takeSkipped removes and returns the kept key of a message that others overtook.
func (s *state) takeSkipped(m ratchetMessage) (key, bool) {
	for i, k := range s.skipped {
		if k.counter == m.counter && k.ratchetKey == m.ratchetKey {
			s.skipped = append(s.skipped[:i], s.skipped[i+1:]...)
			return k.seed, true
		}
	}
	return key{}, false
}

// seedOf steps along the chain of m, which is known, to its key.
func (s *state) seedOf(m ratchetMessage) (key, error) {
	c := s.chainOf(m.ratchetKey)
	switch {
	case m.counter < c.next:
		return key{}, fmt.Errorf("message %d of %d: %w", m.counter, c.next, ErrDuplicate)
	case c.closed:
		return key{}, fmt.Errorf("message %d after the end of its chain: %w", m.counter, ErrDecrypt)
	case m.counter-c.next > MaxSkip:
		return key{}, fmt.Errorf("message %d after %d: %w", m.counter, c.next, ErrTooFar)
	case m.counter == math.MaxUint32:
		return key{}, fmt.Errorf("receiving chain is exhausted: %w", ErrTooLarge)
	}
	for c.next < m.counter {
		s.skip(c)
	}
	seed, next := c.chain.advance()
	c.chain, c.next = next, c.next+1
	return seed, nil
}

// chainOf returns the receiving chain of a ratchet key, or nil.
func (s *state) chainOf(ratchetKey key) *receiveChain {
	for i := range s.receive {
		if s.receive[i].ratchetKey == ratchetKey {
			return &s.receive[i]
		}
	}
	return nil
}

// owesReply reports whether the peer waits for any message of ours: to learn that its key exchange arrived, or because its chain
// grew long. It says so until something is sent (XEP-0384 §6).
func (s *state) owesReply(m ratchetMessage, exchange bool) bool {
	c := s.chainOf(m.ratchetKey)
	return c != nil && !c.answered && (exchange || m.counter >= HeartbeatAfter)
}
