package omemo

import (
	"context"
	"fmt"
)

// Message is an encrypted message, as the <encrypted/> element carries it.
type Message struct {
	Version Version
	SID     uint32 // device id of the sender
	Keys    []Key
	IV      []byte // OMEMO 0.3 only
	Payload []byte // nil if there is no payload: the message only moves the ratchets on
}

// Key is the payload key, encrypted for one device.
type Key struct {
	JID      string // bare address of the recipient; 0.3 does not say it on the wire, so it is empty in what is received
	RID      uint32 // device id of the recipient
	Exchange bool   // Data holds a key exchange: prekey='true' in OMEMO 0.3, kex='true' in OMEMO 2
	Data     []byte
}

// Skipped is a device that a message was not encrypted for.
type Skipped struct {
	Address Address
	Reason  error // ErrNoSession, ErrDistrusted, ErrUndecided, or what is wrong with the session
}

// Missing returns those of to with which there is no session: fetch their bundles and Begin. Our own device is never missing.
func (d *Device) Missing(ctx context.Context, v Version, to []Address) ([]Address, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	to, found, err := d.loadAll(ctx, v, to)
	if err != nil {
		return nil, err
	}
	var missing []Address
	for _, a := range to {
		if found[sessionName(v, a)] == nil {
			missing = append(missing, a)
		}
	}
	return missing, nil
}

// Begin starts a session with a device from its published bundle and saves it; the next message to it carries the key
// exchange. Do it just before sending, not earlier (XEP-0384 §6). A session that exists is kept for reading, so this is also how a
// person replaces a broken one. It returns ErrMalformed if the bundle does not hold.
func (d *Device) Begin(ctx context.Context, to Address, bundle *Bundle) error {
	if err := to.check(); err != nil {
		return err
	}
	checked, p, err := bundle.check()
	if err != nil {
		return fmt.Errorf("begin with %s: %w", to, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if to == d.address() {
		return fmt.Errorf("begin with our own device: %w", ErrMalformed)
	}
	s, err := d.loadSession(ctx, p.version, to)
	if err != nil {
		return err
	}
	st, err := p.initiate(d.secret, checked, d.random)
	if err != nil {
		return fmt.Errorf("begin with %s: %w", to, err)
	}
	if s == nil {
		s = &session{}
	}
	s.add(st)
	_, err = d.saveSession(ctx, p.version, to, s, map[string][]byte{})
	return err
}

// Forget deletes the session with a device, as when it left its account's list. What is thought of its identity stays.
func (d *Device) Forget(ctx context.Context, v Version, a Address) error {
	if _, err := v.profile(); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.loadKnown(ctx, a.JID)
	if err != nil {
		return err
	}
	changed := map[string][]byte{sessionName(v, a): nil}
	if l.drop(v, a.Device); l.changed {
		changed[trustName(a.JID)] = l.save()
	}
	if err := d.store.Save(ctx, changed); err != nil {
		return fmt.Errorf("forget the session with %s: %w", a, err)
	}
	return nil
}

func (d *Device) address() Address { return Address{d.jid, d.id} }

// Encrypt encrypts a plaintext for every device of to that has a session and is not refused by trust, and saves the advanced ratchets
// before it returns. It says which it left out, and why; our own device and repetitions are left out silently. The plaintext is the
// body in OMEMO 0.3 and an XEP-0420 envelope in OMEMO 2, at most MaxPayload minus 16 bytes; to holds at most MaxDevices.
// With nobody left the message is nil.
func (d *Device) Encrypt(ctx context.Context, v Version, plaintext []byte, to []Address) (*Message, []Skipped, error) {
	p, err := v.profile()
	if err != nil {
		return nil, nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := p.seal(plaintext, d.random)
	if err != nil {
		return nil, nil, fmt.Errorf("encrypt: %w", err)
	}
	return d.encryptFor(ctx, p, body, to, true)
}

// EncryptEmpty makes a message without payload for one device: to finish a key exchange, as a heartbeat, to heal. It is sent regardless of trust.
func (d *Device) EncryptEmpty(ctx context.Context, v Version, to Address) (*Message, error) {
	p, err := v.profile()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := p.sealEmpty(d.random)
	if err != nil {
		return nil, fmt.Errorf("encrypt an empty message: %w", err)
	}
	m, skipped, err := d.encryptFor(ctx, p, body, []Address{to}, false)
	if err != nil {
		return nil, err
	}
	if m == nil && len(skipped) > 0 {
		return nil, fmt.Errorf("encrypt an empty message for %s: %w", to, skipped[0].Reason)
	}
	if m == nil {
		return nil, fmt.Errorf("encrypt an empty message for ourselves: %w", ErrMalformed)
	}
	return m, nil
}

// encryptFor advances one ratchet per recipient and saves all of them at once.
func (d *Device) encryptFor(ctx context.Context, p *profile, body sealed, to []Address, checkTrust bool) (*Message, []Skipped, error) {
	to, found, err := d.loadAll(ctx, p.version, to)
	if err != nil {
		return nil, nil, err
	}
	m := &Message{Version: p.version, SID: d.id, IV: body.iv, Payload: body.payload}
	changed := map[string][]byte{}
	var skipped []Skipped
	var known map[string]*knownList
	if checkTrust {
		known = map[string]*knownList{}
	}
	for _, a := range to {
		k, s, err := d.encryptKey(p, a, found, known, body.keyPart)
		if err != nil {
			skipped = append(skipped, Skipped{a, err})
			continue
		}
		m.Keys = append(m.Keys, k)
		changed[sessionName(p.version, a)] = s.save()
	}
	if len(m.Keys) == 0 {
		return nil, skipped, nil
	}
	if err := d.store.Save(ctx, changed); err != nil {
		return nil, nil, fmt.Errorf("save %d sessions: %w", len(changed), err)
	}
	return m, skipped, nil
}

// encryptKey advances the session with one device, which is not saved yet. With known it asks for trust first.
func (d *Device) encryptKey(p *profile, a Address, found map[string][]byte, known map[string]*knownList, keyPart []byte) (Key, *session, error) {
	saved := found[sessionName(p.version, a)]
	if saved == nil {
		return Key{}, nil, ErrNoSession
	}
	s, err := loadSession(saved)
	if err != nil {
		return Key{}, nil, err
	}
	st := s.current()
	if known != nil {
		if err := refusal(a.JID, Identity(st.remote.curve), found, known); err != nil {
			return Key{}, nil, err
		}
	}
	data, exchange, err := p.encrypt(st, d.identity, d.id, keyPart)
	return Key{JID: a.JID, RID: a.Device, Exchange: exchange, Data: data}, s, err
}

// refusal is why nothing may be encrypted for an identity, or nil. It loads each list of identities once. Sessions are saved together with
// their identity, so it is in the list unless that was full.
func refusal(jid string, id Identity, found map[string][]byte, known map[string]*knownList) error {
	l := known[jid]
	if l == nil {
		saved, err := found[trustName(jid)], error(nil)
		if saved == nil {
			return ErrUndecided
		}
		if l, err = loadKnown(saved); err != nil {
			return err
		}
		known[jid] = l
	}
	return l.observe(id).refusal()
}

// loadAll reads everything about the recipients in one go. It returns them without our own device and repetitions.
func (d *Device) loadAll(ctx context.Context, v Version, to []Address) ([]Address, map[string][]byte, error) {
	if len(to) > MaxDevices {
		return nil, nil, fmt.Errorf("%d recipients: %w", len(to), ErrTooLarge)
	}
	seen := map[Address]bool{d.address(): true}
	var others []Address
	var names []string
	for _, a := range to {
		if err := a.check(); err != nil {
			return nil, nil, err
		}
		if !seen[a] {
			seen[a] = true
			others = append(others, a)
			names = append(names, sessionName(v, a), trustName(a.JID))
		}
	}
	found, err := d.store.Load(ctx, names)
	if err != nil {
		return nil, nil, fmt.Errorf("load %d sessions: %w", len(others), err)
	}
	return others, found, nil
}

// saveSession saves a session, the identity of its current state, and whatever else changed with it. It returns the trust in that identity.
func (d *Device) saveSession(ctx context.Context, v Version, a Address, s *session, changed map[string][]byte) (Trust, error) {
	l, err := d.loadKnown(ctx, a.JID)
	if err != nil {
		return Undecided, err
	}
	trust := l.observe(Identity(s.current().remote.curve))
	if evicted := l.admit(v, a.Device); evicted != 0 {
		changed[sessionName(v, Address{a.JID, evicted})] = nil
	}
	if l.changed {
		changed[trustName(a.JID)] = l.save()
	}
	changed[sessionName(v, a)] = s.save()
	if err := d.store.Save(ctx, changed); err != nil {
		return Undecided, fmt.Errorf("save the session with %s: %w", a, err)
	}
	return trust, nil
}
