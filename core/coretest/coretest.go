// Package coretest runs a core.Server with accounts and devices in the test's own process, for tests of features that need no door: a
// device hands in stanzas as text and sees what was put into its queue, as text. Streams, login and stream management are left out;
// transcripts under test/ go through the door for those.
package coretest

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Domain is the domain of every test server.
const Domain = "localhost"

// Feature is whatever can be attached.
type Feature interface{ Attach(*core.Server) }

// World is a server with its accounts.
type World struct {
	*core.Server
	t testing.TB

	mu       sync.Mutex // guards what follows
	accounts map[xmpp.JID]*core.Account
	last     int64
}

// New makes a server on db with these features, attached in this order.
func New(t testing.TB, db *store.DB, features ...Feature) *World {
	t.Helper()
	w := &World{t: t, accounts: map[xmpp.JID]*core.Account{}}
	cfg := core.DefaultConfig()
	cfg.Domain = Domain
	server, err := core.New(cfg, db, w, Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w.Server = server
	for _, f := range features {
		f.Attach(server)
	}
	return w
}

// Log is a log that fails the test's patience with warnings only.
func Log(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Account is the directory of core.Directory.
func (w *World) Account(_ context.Context, bare xmpp.JID) (*core.Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.accounts[bare]; a != nil {
		return a, nil
	}
	return nil, core.ErrNoAccount
}

// Add makes the account name@localhost, or gives the one that is there.
func (w *World) Add(name string) *core.Account {
	w.mu.Lock()
	defer w.mu.Unlock()
	jid := xmpp.MustJID(name + "@" + Domain)
	if w.accounts[jid] == nil {
		w.last++
		w.accounts[jid] = &core.Account{ID: w.last, JID: jid}
	}
	return w.accounts[jid]
}

// Forget takes an account out of the directory.
func (w *World) Forget(account *core.Account) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.accounts, account.JID)
}

// Device is one session of an account and what was sent to it.
type Device struct {
	*core.Session
	world *World

	mu    sync.Mutex // guards what follows
	heard []string
	got   []core.Delivery
	ended string
	more  chan struct{} // holds a token when heard has grown
}

// Bind begins a session of name@localhost/resource, making the account if there is none.
func (w *World) Bind(name, resource string) *Device {
	w.t.Helper()
	account := w.Add(name)
	jid, err := account.JID.WithResource(resource)
	if err != nil {
		w.t.Fatal(err)
	}
	d := &Device{world: w, more: make(chan struct{}, 1)}
	if d.Session, err = w.Server.Bind(context.Background(), account, jid, d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// Send is the Outbox of the session.
func (d *Device) Send(delivery core.Delivery) {
	d.mu.Lock()
	d.heard = append(d.heard, strings.ReplaceAll(string(delivery.Bytes), `"`, `'`))
	d.got = append(d.got, delivery)
	d.mu.Unlock()
	select {
	case d.more <- struct{}{}:
	default:
	}
}

// End notes the stream error condition.
func (d *Device) End(condition, _ string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = condition
}

// Ended is the condition that the session was ended with.
func (d *Device) Ended() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// Say hands in one stanza and returns when it has been handled.
func (d *Device) Say(stanza string) {
	d.world.t.Helper()
	handled := make(chan struct{})
	d.Accept(context.Background(), d.world.Parse(stanza), func() { close(handled) })
	<-handled
}

// Leave ends the session.
func (d *Device) Leave() { d.world.Unbind(context.Background(), d.Session) }

// Heard is what was sent to the device since the last call.
func (d *Device) Heard() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.heard
	d.heard = nil
	return out
}

// Got are the deliveries to the device since the last call, for Server.Acked and Server.Lost.
func (d *Device) Got() []core.Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.got
	d.got = nil
	return out
}

// Hears waits until something that contains all of the parts has been sent to the device, and returns it; what was sent before it is
// forgotten. It fails the test after a minute.
func (d *Device) Hears(parts ...string) string {
	d.world.t.Helper()
	late := time.After(time.Minute)
	for {
		if found := d.take(parts); found != "" {
			return found
		}
		select {
		case <-d.more:
		case <-late:
			d.world.t.Fatalf("%s did not hear %q, but\n%s", d.JID, parts, strings.Join(d.Heard(), "\n"))
		}
	}
}

func (d *Device) take(parts []string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, text := range d.heard {
		if containsAll(text, parts) {
			d.heard = slices.Clone(d.heard[i+1:])
			return text
		}
	}
	return ""
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// Silent fails the test if anything that contains all of the parts was sent to the device since the last Heard or Hears.
func (d *Device) Silent(parts ...string) {
	d.world.t.Helper()
	for _, text := range d.Heard() {
		if containsAll(text, parts) {
			d.world.t.Fatalf("%s was not to hear %s", d.JID, text)
		}
	}
}

// Parse reads a stanza of jabber:client.
func (w *World) Parse(stanza string) *xmpp.Stanza {
	w.t.Helper()
	header, err := xmpp.ParseOpen(`<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`)
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := xmpp.Parse(stanza, header.Scope)
	if err != nil {
		w.t.Fatalf("%s: %v", stanza, err)
	}
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil {
		w.t.Fatalf("%s: %v", stanza, err)
	}
	return st
}

// Arrives routes a stanza as from another server and returns what its sender would be told.
func (w *World) Arrives(stanza string) error {
	w.t.Helper()
	return w.Route(context.Background(), w.Parse(stanza))
}

// Elsewhere is a service that keeps what is sent to it, standing in for another server.
type Elsewhere struct {
	mu  sync.Mutex // guards got
	got []string
}

// Handle keeps the stanza.
func (e *Elsewhere) Handle(_ context.Context, t *core.Transit) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, string(t.Stanza.Append(nil)))
	return nil
}

// Got is what was sent since the last call.
func (e *Elsewhere) Got() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.got
	e.got = nil
	return out
}
