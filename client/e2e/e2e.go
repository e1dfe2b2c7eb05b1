// Package e2e makes a client an end of encrypted conversations: it turns the keys of package omemo into XML and back, publishes and
// fetches them (XEP-0384 v0.3.0, which today's apps speak, and v0.9.1), and follows the rules around them: a device puts itself back on its
// account's list, encrypts for every device of a contact and the other devices of its own account, answers when a session needs an
// answer, and begins a broken session anew, seldom.
//
// Left out: rooms (EncryptFor takes their members, but nobody here asks who they are), and trust messages (XEP-0434, XEP-0450).
package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// Features belong into client.Config.Features, so that changes of device lists are told (XEP-0384 §5.2).
var Features = []string{omemo.V03.Namespace(), lists[omemo.V03] + "+notify", lists[omemo.V2] + "+notify", nsSCE}

// Errors that callers tell apart with errors.Is, beside those of omemo.
var (
	// ErrNoDevices means that nobody among the recipients has a device that can read what is encrypted, or that none may be trusted.
	ErrNoDevices = errors.New("no device to encrypt for")
	// ErrClear means that a message is not encrypted.
	ErrClear = errors.New("not encrypted")
)

// versions are tried in this order.
var versions = [...]omemo.Version{omemo.V03, omemo.V2}

// Limits and times.
const (
	listAge     = 10 * time.Minute // how long a device list is believed without a notification
	maxLists    = 10000            // device lists remembered
	healPause   = time.Hour        // between two attempts to mend a session with one device
	maxHealed   = 10000
	maxOwed     = 1000 // answers remembered while catching up
	maxContents = 64   // elements in an envelope
)

// Endpoint is one device of an account. Its methods may be called from any goroutine.
type Endpoint struct {
	c     *client.Client
	store *staged
	dev   *omemo.Device
	log   *slog.Logger

	// turn holds one token: who has it may advance a ratchet. What Decrypt saves is committed together with the plaintext.
	turn chan struct{}

	mu       sync.Mutex // guards what follows
	known    map[listKey]deviceList
	owed     map[deviceKey]bool
	dirty    map[omemo.Version]bool
	healed   map[deviceKey]time.Time
	catching bool
}

type listKey struct {
	version omemo.Version
	jid     string
}

type deviceKey struct {
	version omemo.Version
	address omemo.Address
}

type deviceList struct {
	ids   []uint32
	until time.Time // zero while notifications keep it fresh
}

// Open takes the device out of the store, or makes one, which is then unknown to the server until Start.
func Open(ctx context.Context, c *client.Client, store omemo.Store, log *slog.Logger) (*Endpoint, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e := &Endpoint{c: c, store: &staged{under: store}, log: log.With("part", "e2e"), turn: make(chan struct{}, 1), known: map[listKey]deviceList{},
		owed: map[deviceKey]bool{}, dirty: map[omemo.Version]bool{}, healed: map[deviceKey]time.Time{}}
	e.turn <- struct{}{}
	own := c.Account().String()
	dev, err := omemo.Open(ctx, e.store, own)
	if err != nil {
		return nil, err
	}
	if dev == nil {
		var taken []uint32
		for _, v := range versions {
			ids, err := e.Devices(ctx, c.Account(), v)
			if err != nil {
				return nil, err
			}
			taken = append(taken, ids...)
		}
		if dev, err = omemo.Create(ctx, e.store, own, taken, time.Now()); err != nil {
			return nil, err
		}
	}
	e.dev = dev
	return e, nil
}

// ID is the device's id.
func (e *Endpoint) ID() uint32 { return e.dev.ID() }

// Identity is the device's public key, whose fingerprint people compare.
func (e *Endpoint) Identity() omemo.Identity { return e.dev.Identity() }

// Identities are those known of an account, and what is thought of them.
func (e *Endpoint) Identities(ctx context.Context, jid xmpp.JID) ([]omemo.Known, error) {
	return e.dev.Identities(ctx, jid.Bare().String())
}

// SetTrust keeps a person's decision about an identity.
func (e *Endpoint) SetTrust(ctx context.Context, jid xmpp.JID, identity omemo.Identity, trust omemo.Trust) error {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	return e.dev.SetTrust(ctx, jid.Bare().String(), identity, trust)
}

// Start publishes what others need to write to this device. Call it in every new session; it asks the server, so the client must be
// connected and the caller not a Lean client's handler.
func (e *Endpoint) Start(ctx context.Context) error {
	if err := e.maintain(ctx); err != nil {
		return err
	}
	for _, v := range versions {
		listed, err := e.listed(ctx, v)
		if err != nil {
			return err
		}
		if err := e.publishBundle(ctx, v, !listed); err != nil {
			return fmt.Errorf("publish keys: %w", err)
		}
		if err := e.enlist(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (e *Endpoint) maintain(ctx context.Context) error {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	_, err := e.dev.Maintain(ctx, time.Now())
	return err
}

// BeginCatchUp is called before reading the archive: nothing is answered until EndCatchUp.
func (e *Endpoint) BeginCatchUp() {
	e.mu.Lock()
	e.catching = true
	e.mu.Unlock()
}

// EndCatchUp is called when the archive is read: it publishes keys anew if some were used, and answers whom an answer is owed.
func (e *Endpoint) EndCatchUp(ctx context.Context) error {
	e.mu.Lock()
	e.catching = false
	e.mu.Unlock()
	return e.settle(ctx)
}

// settle pays what is owed: empty messages (XEP-0384 §6) and changed bundles.
func (e *Endpoint) settle(ctx context.Context) error {
	e.mu.Lock()
	if e.catching {
		e.mu.Unlock()
		return nil
	}
	owed, dirty := e.owed, e.dirty
	e.owed, e.dirty = map[deviceKey]bool{}, map[omemo.Version]bool{}
	e.mu.Unlock()
	var failures []error
	for to := range owed {
		failures = append(failures, e.sendEmpty(ctx, to))
	}
	for v := range dirty {
		failures = append(failures, e.publishBundle(ctx, v, false))
	}
	return errors.Join(failures...)
}

func (e *Endpoint) sendEmpty(ctx context.Context, to deviceKey) error {
	m, err := e.encryptEmpty(ctx, to)
	if err != nil {
		return err
	}
	jid, err := xmpp.ParseJID(to.address.JID)
	if err != nil {
		return err
	}
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: jid}
	return e.c.Send(ctx, st.Add(elementOf(m), xmpp.NewElement(xmpp.NSHints, "store")))
}

func (e *Endpoint) encryptEmpty(ctx context.Context, to deviceKey) (*omemo.Message, error) {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	return e.dev.EncryptEmpty(ctx, to.version, to.address)
}
