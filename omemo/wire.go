package omemo

import (
	"bytes"
	"fmt"
)

// ratchetMessage is a decoded SignalMessage (0.3) or OMEMOAuthenticatedMessage (2).
type ratchetMessage struct {
	ratchetKey  key
	counter     uint32
	previous    uint32
	ciphertext  []byte
	signed, mac []byte // the received bytes under the MAC: never a re-serialisation
}

// keyExchange is a decoded PreKeySignalMessage (0.3) or OMEMOKeyExchange (2).
type keyExchange struct {
	registration uint32 // 0.3 only: the sender's device id, informational
	preKey       uint32
	signedPreKey uint32
	baseKey      key
	identity     publicIdentity
	message      []byte // an encoded ratchetMessage
}

// encodeMessage lays out header and ciphertext and returns the bytes to be signed.
func (p *profile) encodeMessage(m ratchetMessage) []byte {
	f := fields(bytes.Clone(p.wirePrefix))
	for n := 1; n <= 4; n++ { // in the order of the numbers, which differ by version
		switch n {
		case p.message.ratchetKey:
			f.bytes(n, p.keyToWire(m.ratchetKey))
		case p.message.counter:
			f.uint(n, uint64(m.counter))
		case p.message.previous:
			f.uint(n, uint64(m.previous))
		case p.message.ciphertext:
			f.bytes(n, m.ciphertext)
		}
	}
	return f
}

// appendMAC completes what encodeMessage began.
func (p *profile) appendMAC(signed, mac []byte) []byte {
	if p.macOutside {
		return append(signed, mac...)
	}
	var f fields
	f.bytes(1, mac)
	f.bytes(2, signed)
	return f
}

// decodeMessage reads a ratchet message strictly. Nothing in it is to be believed before its MAC held.
func (p *profile) decodeMessage(in []byte) (m ratchetMessage, err error) {
	if len(in) > maxKeyBytes {
		return m, fmt.Errorf("ratchet message of %d bytes: %w", len(in), ErrTooLarge)
	}
	if m.signed, m.mac, err = p.splitMAC(in); err != nil {
		return m, fmt.Errorf("ratchet message: %w", err)
	}
	body, ok := bytes.CutPrefix(m.signed, p.wirePrefix)
	if !ok {
		return m, fmt.Errorf("ratchet message of an unknown version: %w", ErrMalformed)
	}
	var seen once
	err = eachField(body, func(f entry) error {
		if err := seen.see(f.number); err != nil {
			return err
		}
		return p.readMessageField(&m, f)
	})
	if err == nil && !seen.has(p.message.ratchetKey, p.message.counter, p.message.previous, p.message.ciphertext) {
		err = fmt.Errorf("a field is missing: %w", ErrMalformed)
	}
	if err != nil {
		return m, fmt.Errorf("ratchet message: %w", err)
	}
	return m, nil
}

func (p *profile) readMessageField(m *ratchetMessage, f entry) (err error) {
	switch f.number {
	case p.message.ratchetKey:
		m.ratchetKey, err = p.keyFromWire(f.data)
	case p.message.counter:
		m.counter, err = f.uint32()
	case p.message.previous:
		m.previous, err = f.uint32()
	case p.message.ciphertext:
		m.ciphertext, err = f.bytes()
	}
	return err
}

// splitMAC takes the signed bytes and the MAC apart.
func (p *profile) splitMAC(in []byte) (signed, mac []byte, err error) {
	if p.macOutside {
		cut := len(in) - p.macSize
		if cut <= 0 {
			return nil, nil, fmt.Errorf("%d bytes: %w", len(in), ErrMalformed)
		}
		return in[:cut:cut], in[cut:], nil
	}
	var seen once
	err = eachField(in, func(f entry) (err error) {
		if err := seen.see(f.number); err != nil {
			return err
		}
		switch f.number {
		case 1:
			mac, err = f.bytes()
		case 2:
			signed, err = f.bytes()
		}
		return err
	})
	if err == nil && (len(mac) != p.macSize || len(signed) == 0) {
		err = fmt.Errorf("mac of %d bytes over %d: %w", len(mac), len(signed), ErrMalformed)
	}
	return signed, mac, err
}

// encodeExchange writes the fields in the order that existing apps use; readers accept any.
func (p *profile) encodeExchange(x keyExchange) []byte {
	f := fields(bytes.Clone(p.wirePrefix))
	if p.exchange.registration != 0 {
		f.uint(p.exchange.registration, uint64(x.registration))
	}
	f.uint(p.exchange.preKey, uint64(x.preKey))
	f.uint(p.exchange.signedPreKey, uint64(x.signedPreKey))
	f.bytes(p.exchange.identity, p.identityToWire(x.identity))
	f.bytes(p.exchange.baseKey, p.keyToWire(x.baseKey))
	f.bytes(p.exchange.message, x.message)
	return f
}

// decodeExchange reads a key exchange strictly. A one-time prekey is mandatory in both versions: without one, a replay would
// build a session again (XEP-0384 §4.2).
func (p *profile) decodeExchange(in []byte) (x keyExchange, err error) {
	if len(in) > maxKeyBytes {
		return x, fmt.Errorf("key exchange of %d bytes: %w", len(in), ErrTooLarge)
	}
	body, ok := bytes.CutPrefix(in, p.wirePrefix)
	if !ok {
		return x, fmt.Errorf("key exchange of an unknown version: %w", ErrMalformed)
	}
	var seen once
	err = eachField(body, func(f entry) error {
		if err := seen.see(f.number); err != nil {
			return err
		}
		return p.readExchangeField(&x, f)
	})
	e := p.exchange
	if err == nil && !seen.has(e.preKey, e.signedPreKey, e.baseKey, e.identity, e.message) {
		err = fmt.Errorf("a field is missing: %w", ErrMalformed)
	}
	if err != nil {
		return x, fmt.Errorf("key exchange: %w", err)
	}
	return x, nil
}

func (p *profile) readExchangeField(x *keyExchange, f entry) (err error) {
	switch f.number {
	case p.exchange.preKey:
		x.preKey, err = f.uint32()
	case p.exchange.signedPreKey:
		x.signedPreKey, err = f.uint32()
	case p.exchange.baseKey:
		x.baseKey, err = p.keyFromWire(f.data)
	case p.exchange.identity:
		x.identity, err = p.identityFromWire(f.data)
	case p.exchange.message:
		x.message, err = f.bytes()
	case p.exchange.registration:
		x.registration, err = f.uint32()
	}
	return err
}
