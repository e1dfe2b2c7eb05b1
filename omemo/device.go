package omemo

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"time"
)

// Device is our own end of every conversation. Its methods may be called from several goroutines; they take turns.
type Device struct {
	jid      string
	id       uint32
	identity publicIdentity
	secret   keyPair
	store    Store
	random   io.Reader

	// mu is held across the Store on purpose: load, advance, save is one step of a ratchet, and a second one from the same
	// state would encrypt two messages with one key.
	mu sync.Mutex
}

// Create draws a new device for an account, given by its bare address, and saves it. Its id is none of taken, the account's device
// list. It fails if the store holds a device already.
func Create(ctx context.Context, store Store, jid string, taken []uint32, now time.Time) (*Device, error) {
	return create(ctx, store, jid, taken, now, rand.Reader)
}

func create(ctx context.Context, store Store, jid string, taken []uint32, now time.Time, random io.Reader) (*Device, error) {
	if len(taken) > MaxDevices {
		return nil, fmt.Errorf("create a device beside %d others: %w", len(taken), ErrTooLarge)
	}
	found, err := store.Load(ctx, []string{ownerName})
	if err != nil {
		return nil, fmt.Errorf("look for a device: %w", err)
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("create a device: the store holds one: %w", ErrState)
	}
	o, err := newOwner(now, taken, random)
	if err != nil {
		return nil, fmt.Errorf("create a device: %w", err)
	}
	if err := store.Save(ctx, map[string][]byte{ownerName: o.save()}); err != nil {
		return nil, fmt.Errorf("save a new device: %w", err)
	}
	return newDevice(store, jid, o, random)
}

// Open returns the device that a store holds, or nil without an error if it holds none. The address is that of Create.
func Open(ctx context.Context, store Store, jid string) (*Device, error) {
	return open(ctx, store, jid, rand.Reader)
}

func open(ctx context.Context, store Store, jid string, random io.Reader) (*Device, error) {
	found, err := store.Load(ctx, []string{ownerName})
	if err != nil {
		return nil, fmt.Errorf("open the device: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	o, err := loadOwner(found[ownerName])
	if err != nil {
		return nil, err
	}
	return newDevice(store, jid, o, random)
}

func newDevice(store Store, jid string, o owner, random io.Reader) (*Device, error) {
	if err := (Address{jid, o.device}).check(); err != nil {
		return nil, fmt.Errorf("own device: %w", err)
	}
	identity, err := o.public()
	if err != nil {
		return nil, fmt.Errorf("own identity: %w", err)
	}
	return &Device{jid: jid, id: o.device, identity: identity, secret: o.identity, store: store, random: random}, nil
}

// ID returns the device id, 1 … 2^31-1.
func (d *Device) ID() uint32 { return d.id }

// Identity returns the public identity key, whose fingerprint others compare.
func (d *Device) Identity() Identity { return Identity(d.identity.curve) }

// SignLabel signs the label that people see for this device in an OMEMO 2 device list, at most 53 characters by advice (XEP-0384 §5.3).
func (d *Device) SignLabel(label string) ([]byte, error) {
	return sign(d.secret.private, []byte(label), d.random)
}

// Bundle returns what to publish for a version: the newest signed prekey and 100 one-time prekeys. Publish it again when
// Decrypt or Maintain say that it changed.
func (d *Device) Bundle(ctx context.Context, v Version) (*Bundle, error) {
	p, err := v.profile()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o, err := d.loadOwner(ctx)
	if err != nil {
		return nil, err
	}
	return o.bundle(p)
}

// Maintain rotates signed prekeys that are a week old and fills the prekeys up. It reports whether the bundles changed and are to be
// published again. Call it once a day, and after the archive was caught up with rather than before.
func (d *Device) Maintain(ctx context.Context, now time.Time) (changed bool, err error) {
	err = d.changeOwner(ctx, func(o *owner) (bool, error) {
		changed, err = o.maintain(now, d.random)
		return changed, err
	})
	return changed, err
}

// changeOwner loads the secret half, lets change work on it and saves it if that says so.
func (d *Device) changeOwner(ctx context.Context, change func(*owner) (bool, error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, err := d.loadOwner(ctx)
	if err != nil {
		return err
	}
	changed, err := change(&o)
	if err != nil || !changed {
		return err
	}
	if err := d.store.Save(ctx, map[string][]byte{ownerName: o.save()}); err != nil {
		return fmt.Errorf("save the device: %w", err)
	}
	return nil
}

// loadOwner is called with mu held, like the two below.
func (d *Device) loadOwner(ctx context.Context) (owner, error) {
	found, err := d.store.Load(ctx, []string{ownerName})
	if err != nil {
		return owner{}, fmt.Errorf("load the device: %w", err)
	}
	return loadOwner(found[ownerName])
}

// loadSession returns nil without an error if there is none.
func (d *Device) loadSession(ctx context.Context, v Version, a Address) (*session, error) {
	name := sessionName(v, a)
	found, err := d.store.Load(ctx, []string{name})
	if err != nil {
		return nil, fmt.Errorf("load the session with %s: %w", a, err)
	}
	if found[name] == nil {
		return nil, nil
	}
	return loadSession(found[name])
}

func (d *Device) loadKnown(ctx context.Context, jid string) (*knownList, error) {
	name := trustName(jid)
	found, err := d.store.Load(ctx, []string{name})
	if err != nil {
		return nil, fmt.Errorf("load the identities of %s: %w", jid, err)
	}
	if found[name] == nil {
		return &knownList{}, nil
	}
	return loadKnown(found[name])
}
