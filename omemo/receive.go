package omemo

import (
	"context"
	"errors"
	"fmt"
)

// Opened is a decrypted message.
type Opened struct {
	Plaintext []byte // nil if the message had no payload
	Empty     bool   // the message had no payload
	Sender    Address
	Identity  Identity // the key that proved itself: what a person may compare
	Trust     Trust    // in Identity; show messages of anything but Blind and Verified as such
	// OwesReply says that the sender waits for any message of ours, so send an EncryptEmpty unless another goes to it at once.
	OwesReply bool
	// BundleChanged says that a prekey was used up and replaced: publish the bundle of this version again.
	BundleChanged bool
}

// Decrypt decrypts a message whose sender is the account from, a bare address that the server vouched for. It tries every key for our device
// id (at most 8), since OMEMO 0.3 does not say whose device is meant, and stops at the first that opens. The advanced ratchet
// is saved before it returns; on an error nothing has changed. Errors to tell apart: ErrNotForUs and ErrDuplicate (ignore both), ErrNoSession,
// ErrNoPreKey, ErrTooFar, ErrDecrypt, ErrMalformed.
func (d *Device) Decrypt(ctx context.Context, from string, m *Message) (*Opened, error) {
	p, err := m.Version.profile()
	if err != nil {
		return nil, err
	}
	sender := Address{from, m.SID}
	if err := sender.check(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.loadSession(ctx, p.version, sender)
	if err != nil {
		return nil, err
	}
	var verdict error
	tries := 0
	for _, k := range m.Keys {
		if k.RID != d.id || p.version == V2 && k.JID != d.jid {
			continue
		}
		if tries++; tries > maxTries {
			break
		}
		step, err := d.tryKey(ctx, p, s, k, m)
		if err == nil {
			return d.keep(ctx, p.version, sender, step)
		}
		verdict = graver(verdict, err)
	}
	if verdict == nil {
		return nil, ErrNotForUs
	}
	return nil, fmt.Errorf("decrypt from %s: %w", sender, verdict)
}

// graver keeps the verdict that says most: a key that was ours and is used up says more than one that never was.
func graver(a, b error) error {
	if a == nil || errors.Is(b, ErrDuplicate) {
		return b
	}
	return a
}

// step is a decryption that has not been saved.
type step struct {
	opened
	session *session
	changed map[string][]byte // other values that change with it
	payload []byte
	empty   bool
}

// tryKey opens one key and the payload with it. The payload is part of the proof: if it does not open, the ratchet has not moved, and
// the real message can still come.
func (d *Device) tryKey(ctx context.Context, p *profile, saved *session, k Key, m *Message) (out step, err error) {
	out = step{session: &session{}, changed: map[string][]byte{}, empty: m.Payload == nil}
	if saved != nil {
		out.session.states = append(out.session.states, saved.states...)
	}
	if k.Exchange {
		out.opened, err = d.decryptExchange(ctx, p, out.session, k.Data, out.changed)
	} else {
		out.opened, err = d.decryptPlain(p, out.session, k.Data)
	}
	if err != nil || out.empty {
		return out, err
	}
	out.payload, err = p.unseal(sealed{keyPart: out.plaintext, iv: m.IV, payload: m.Payload})
	return out, err
}

// keep saves a step; only then may the plaintext be seen.
func (d *Device) keep(ctx context.Context, v Version, sender Address, s step) (*Opened, error) {
	id := Identity(s.identity.curve)
	bundleChanged := s.changed[ownerName] != nil
	trust, err := d.saveSession(ctx, v, sender, s.session, s.changed)
	if err != nil {
		return nil, err
	}
	return &Opened{
		Plaintext: s.payload, Empty: s.empty, Sender: sender, Identity: id, Trust: trust,
		OwesReply: s.owesReply, BundleChanged: bundleChanged,
	}, nil
}

func (d *Device) decryptPlain(p *profile, s *session, data []byte) (opened, error) {
	message, err := p.decodeMessage(data)
	if err != nil {
		return opened{}, err
	}
	if len(s.states) == 0 {
		return opened{}, ErrNoSession
	}
	return p.decryptMessage(s, d.identity, message, d.random)
}

// decryptExchange opens a message with a key exchange around it: with the state that the exchange built before, or a new one, in
// which case the prekey is used up in the same step.
func (d *Device) decryptExchange(ctx context.Context, p *profile, s *session, data []byte, changed map[string][]byte) (opened, error) {
	x, err := p.decodeExchange(data)
	if err != nil {
		return opened{}, err
	}
	message, err := p.decodeMessage(x.message)
	if err != nil {
		return opened{}, err
	}
	if out, known, err := p.decryptRepeated(s, d.identity, x, message, d.random); known {
		return out, err
	}
	o, err := d.loadOwner(ctx)
	if err != nil {
		return opened{}, err
	}
	st, plaintext, err := p.accept(o, x, message, d.random)
	if err != nil {
		return opened{}, err
	}
	if err := o.pool(p.version).consume(x.preKey, d.random); err != nil {
		return opened{}, err
	}
	changed[ownerName] = o.save()
	s.add(st)
	return opened{plaintext: plaintext, identity: st.remote, owesReply: st.owesReply(message, true)}, nil
}
