package omemo

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Bundle is what a device publishes so that others can begin a session while it is offline. Keys are encoded as the version does:
// 33 bytes beginning with 5 in OMEMO 0.3; 32 bytes in OMEMO 2, the identity in Ed25519 form.
type Bundle struct {
	Version      Version
	Identity     []byte
	SignedPreKey PreKey
	Signature    []byte // 64 bytes, by the identity over the encoded signed prekey
	PreKeys      []PreKey
}

// PreKey is a public prekey and its id.
type PreKey struct {
	ID  uint32
	Key []byte
}

// checkedBundle is a bundle whose every key and whose signature were found good.
type checkedBundle struct {
	identity     publicIdentity
	signedPreKey numberedKey
	preKeys      []numberedKey
}

type numberedKey struct {
	id  uint32
	key key
}

// Check returns the identity of a bundle whose signature, lengths and points are all good, and ErrMalformed otherwise.
// A bundle needs one usable prekey; an id of 0 is passed over, since some apps publish it and others cannot read it.
func (b *Bundle) Check() (Identity, error) {
	checked, _, err := b.check()
	return Identity(checked.identity.curve), err
}

func (b *Bundle) check() (c checkedBundle, p *profile, err error) {
	if p, err = b.Version.profile(); err != nil {
		return c, nil, err
	}
	if c.identity, err = p.identityFromWire(b.Identity); err != nil {
		return c, nil, fmt.Errorf("bundle: %w", err)
	}
	if c.signedPreKey.key, err = p.keyFromWire(b.SignedPreKey.Key); err != nil {
		return c, nil, fmt.Errorf("bundle: signed prekey: %w", err)
	}
	c.signedPreKey.id = b.SignedPreKey.ID
	if err = p.verify(c.identity, b.SignedPreKey.Key, b.Signature); err != nil {
		return c, nil, fmt.Errorf("bundle: signed prekey: %w", err)
	}
	if c.preKeys, err = p.checkPreKeys(b.PreKeys); err != nil {
		return c, nil, fmt.Errorf("bundle: %w", err)
	}
	return c, p, nil
}

func (p *profile) checkPreKeys(published []PreKey) ([]numberedKey, error) {
	if len(published) > maxPreKeys {
		return nil, fmt.Errorf("%d prekeys: %w", len(published), ErrTooLarge)
	}
	good := make([]numberedKey, 0, len(published))
	for _, k := range published {
		public, err := p.keyFromWire(k.Key)
		if err != nil {
			return nil, fmt.Errorf("prekey %d: %w", k.ID, err)
		}
		if k.ID != 0 {
			good = append(good, numberedKey{k.ID, public})
		}
	}
	if len(good) == 0 {
		return nil, fmt.Errorf("no prekey: %w", ErrMalformed)
	}
	return good, nil
}

// CheckLabel verifies the signature over the label of the device that published an OMEMO 2 bundle. A label whose signature does
// not hold must be ignored (XEP-0384 §5.3).
func (b *Bundle) CheckLabel(label string, signature []byte) error {
	id, err := profile2.identityFromWire(b.Identity)
	if err != nil {
		return err
	}
	return profile2.verify(id, []byte(label), signature)
}

// pick chooses a prekey at random, so that two who begin at once seldom meet (XEP-0384 §5.4). One alone costs no randomness.
func (c *checkedBundle) pick(random io.Reader) (numberedKey, error) {
	if len(c.preKeys) == 1 {
		return c.preKeys[0], nil
	}
	var draw [8]byte
	if _, err := io.ReadFull(random, draw[:]); err != nil {
		return numberedKey{}, fmt.Errorf("choose a prekey: %w", err)
	}
	return c.preKeys[binary.LittleEndian.Uint64(draw[:])%uint64(len(c.preKeys))], nil
}

// initiate begins a state with the device that published the bundle.
func (p *profile) initiate(local keyPair, c checkedBundle, random io.Reader) (*state, error) {
	preKey, err := c.pick(random)
	if err != nil {
		return nil, err
	}
	ephemeral, err := newKeyPair(random)
	if err != nil {
		return nil, err
	}
	root, err := p.initiatorSecret(local, ephemeral, c.identity, c.signedPreKey.key, preKey.key)
	if err != nil {
		return nil, err
	}
	s := &state{
		remote: c.identity, base: ephemeral.public, initiated: true, root: root,
		pending: &pendingExchange{preKey: preKey.id, signedPreKey: c.signedPreKey.id},
	}
	return s, p.turnSending(s, c.signedPreKey.key, random)
}

// accept builds the state that a key exchange asks for, and opens the message in it: only that proves that the exchange is real.
func (p *profile) accept(local owner, x keyExchange, m ratchetMessage, random io.Reader) (*state, []byte, error) {
	pool := local.pool(p.version)
	signed, ok := pool.signedPreKey(x.signedPreKey)
	if !ok {
		return nil, nil, fmt.Errorf("signed prekey %d: %w", x.signedPreKey, ErrNoPreKey)
	}
	preKey, ok := pool.preKey(x.preKey)
	if !ok {
		return nil, nil, fmt.Errorf("prekey %d: %w", x.preKey, ErrNoPreKey)
	}
	root, err := p.responderSecret(local.identity, signed.private, preKey.private, x.identity, x.baseKey)
	if err != nil {
		return nil, nil, err
	}
	s := &state{remote: x.identity, base: x.baseKey, root: root, send: sendChain{pair: signed}}
	public, err := local.public()
	if err != nil {
		return nil, nil, err
	}
	plaintext, err := p.decrypt(s, public, m, random)
	return s, plaintext, err
}
