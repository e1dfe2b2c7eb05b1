package omemo

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"
)

// rotateAfter is the age at which a signed prekey is replaced (XEP-0384 §4.2: once a week to once a month). The one before it
// stays readable until the next replacement.
const rotateAfter = 7 * 24 * time.Hour

// owner is the secret half of a device: what the Store keeps for it besides its sessions.
type owner struct {
	device   uint32
	identity keyPair
	pools    [2]pool // by version - 1
}

// pool holds the prekeys of one version. The versions share none, so that each can be claimed and used up by itself.
type pool struct {
	signed     []signedPair // newest first, at most two
	oneTime    []numberedPair
	held       []heldPair // used and not published any more, oldest first
	nextSigned uint32
	next       uint32
}

type numberedPair struct {
	id uint32
	keyPair
}

// heldPair is a used prekey. It stays readable as long as the signed prekey beside which it was published last: somebody else may
// have taken both out of a bundle before it was used, and the message made with them comes later. An exchange is as secret as both.
type heldPair struct {
	numberedPair
	beside uint32 // id of that signed prekey
}

type signedPair struct {
	numberedPair
	signature []byte
	made      int64 // seconds since 1970
}

// newOwner draws a device that is none of taken.
func newOwner(now time.Time, taken []uint32, random io.Reader) (owner, error) {
	device, err := drawDevice(taken, random)
	if err != nil {
		return owner{}, err
	}
	identity, err := newKeyPair(random)
	if err != nil {
		return owner{}, err
	}
	o := owner{device: device, identity: identity}
	_, err = o.maintain(now, random)
	return o, err
}

// drawDevice draws 1 … 2^31-1. With at most MaxDevices ids taken, 64 draws fail once in 2^1000 times.
func drawDevice(taken []uint32, random io.Reader) (uint32, error) {
	for range 64 {
		var draw [4]byte
		if _, err := io.ReadFull(random, draw[:]); err != nil {
			return 0, fmt.Errorf("draw a device id: %w", err)
		}
		id := binary.LittleEndian.Uint32(draw[:]) & MaxID
		if id != 0 && !slices.Contains(taken, id) {
			return id, nil
		}
	}
	return 0, fmt.Errorf("draw a device id that is not taken: %w", ErrTooLarge)
}

func (o *owner) pool(v Version) *pool { return &o.pools[v-V03] }

// public is the identity in both forms, with Ed25519 sign bit 0.
func (o *owner) public() (publicIdentity, error) {
	_, ed, err := edKey(o.identity.private)
	return publicIdentity{curve: o.identity.public, ed: ed}, err
}

// maintain replaces signed prekeys that are due and fills the pools. It reports whether the bundles changed.
func (o *owner) maintain(now time.Time, random io.Reader) (changed bool, err error) {
	for _, p := range []*profile{&profile03, &profile2} {
		pool := o.pool(p.version)
		rotated, err := p.rotate(pool, o.identity.private, now, random)
		if err != nil {
			return false, err
		}
		filled, err := pool.fill(random)
		if err != nil {
			return false, err
		}
		changed = changed || rotated || filled
	}
	return changed, nil
}

// rotate makes a new signed prekey if the newest is too old, or from the future, as after a clock was set right.
func (p *profile) rotate(pool *pool, identity key, now time.Time, random io.Reader) (bool, error) {
	if len(pool.signed) > 0 {
		age := now.Sub(time.Unix(pool.signed[0].made, 0))
		if age >= 0 && age < rotateAfter {
			return false, nil
		}
	}
	pair, err := newKeyPair(random)
	if err != nil {
		return false, err
	}
	signature, err := sign(identity, p.keyToWire(pair.public), random)
	if err != nil {
		return false, fmt.Errorf("sign a prekey: %w", err)
	}
	pool.nextSigned = following(pool.nextSigned)
	fresh := signedPair{numberedPair{pool.nextSigned, pair}, signature, now.Unix()}
	pool.signed = append([]signedPair{fresh}, pool.signed[:min(1, len(pool.signed))]...)
	pool.held = slices.DeleteFunc(pool.held, func(k heldPair) bool {
		_, known := pool.signedPreKey(k.beside)
		return !known
	})
	return true, nil
}

// fill brings the published prekeys up to their number.
func (p *pool) fill(random io.Reader) (changed bool, err error) {
	for len(p.oneTime) < preKeyTarget {
		pair, err := newKeyPair(random)
		if err != nil {
			return false, err
		}
		p.next = following(p.next)
		p.oneTime = append(p.oneTime, numberedPair{p.next, pair})
		changed = true
	}
	return changed, nil
}

// following counts 1 … 2^31-1 and round again: 0 is no id.
func following(id uint32) uint32 { return id%MaxID + 1 }

// signedPreKey finds the key pair of a signed prekey that is not forgotten yet.
func (p *pool) signedPreKey(id uint32) (keyPair, bool) {
	for _, k := range p.signed {
		if k.id == id {
			return k.keyPair, true
		}
	}
	return keyPair{}, false
}

// preKey finds the key pair of a one-time prekey that is published or held.
func (p *pool) preKey(id uint32) (keyPair, bool) {
	for _, k := range p.oneTime {
		if k.id == id {
			return k.keyPair, true
		}
	}
	for _, k := range p.held {
		if k.id == id {
			return k.keyPair, true
		}
	}
	return keyPair{}, false
}

// consume takes a used prekey out of the published ones, holds it and replaces it.
func (p *pool) consume(id uint32, random io.Reader) error {
	at := slices.IndexFunc(p.oneTime, func(k numberedPair) bool { return k.id == id })
	if at < 0 {
		return nil // held already
	}
	p.held = append(p.held, heldPair{p.oneTime[at], p.signed[0].id})
	p.held = p.held[max(0, len(p.held)-maxHeld):]
	p.oneTime = slices.Delete(p.oneTime, at, at+1)
	_, err := p.fill(random)
	return err
}

// bundle is the public half of the pool.
func (o *owner) bundle(p *profile) (*Bundle, error) {
	identity, err := o.public()
	if err != nil {
		return nil, err
	}
	pool := o.pool(p.version)
	newest := pool.signed[0]
	b := &Bundle{
		Version:      p.version,
		Identity:     p.identityToWire(identity),
		SignedPreKey: PreKey{newest.id, p.keyToWire(newest.public)},
		Signature:    newest.signature,
		PreKeys:      make([]PreKey, 0, len(pool.oneTime)),
	}
	for _, k := range pool.oneTime {
		b.PreKeys = append(b.PreKeys, PreKey{k.id, p.keyToWire(k.public)})
	}
	return b, nil
}
