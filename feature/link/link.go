// Package link lets an account's new device in without its password, by one that is signed in already (docs/protocol/device-link.md): it carries
// what the two say to each other before the new one has a session, and gives the older one a token with which the new one begins (XEP-0484).
// What is carried is encrypted between the two and means nothing here. It is in memory alone: when the server ends, people begin again. Left
// out: anything between devices that are both signed in, which is messages like others.
package link

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// NS is the namespace of the request for a token.
const NS = "urn:palabre:link:0"

// tokenLife is how long a new device has to come with its token: it travels at once, and gets one of its own.
const tokenLife = 2 * time.Minute

// Door gives tokens.
type Door interface {
	// Admit gives an installation that has none a token to log in with once, within life.
	Admit(ctx context.Context, account *core.Account, life time.Duration) (Ticket, error)
}

// Ticket is what a new device begins with.
type Ticket struct {
	Client    string // the id that it has to take as its own (XEP-0388 §2.3)
	Mechanism string
	Token     string
	Expires   time.Time
}

// Feature carries and lets in.
type Feature struct {
	door Door
	log  *slog.Logger

	mu      sync.Mutex // guards what follows, and what is in the boxes
	boxes   map[string]*box
	waiting int
}

// New makes a feature without boxes.
func New(door Door, log *slog.Logger) *Feature {
	return &Feature{door: door, log: log.With("part", "link"), boxes: map[string]*box{}}
}

// Attach answers the request for a token.
func (f *Feature) Attach(s *core.Server) { s.HandleIQ(core.AtAccount, NS, "token", f.admit) }

// Routes serves the boxes.
func (f *Feature) Routes(mux *http.ServeMux) {
	mux.HandleFunc("PUT /linking/{box}/{step}", f.put)
	mux.HandleFunc("GET /linking/{box}/{step}", f.get)
	mux.HandleFunc("DELETE /linking/{box}", f.end)
}

// admit gives an account's own session a token for another device.
func (f *Feature) admit(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if !r.Set {
		return nil, xmpp.BadRequest
	}
	ticket, err := f.door.Admit(ctx, r.Account, tokenLife)
	if err != nil {
		return nil, fmt.Errorf("let a device in: %w", err)
	}
	f.log.Info("a device lets another in", "account", r.Account.JID.Local())
	return xmpp.NewElement(NS, "token").Set("client", ticket.Client).Set("mechanism", ticket.Mechanism).Set("token", ticket.Token).
		Set("expiry", ticket.Expires.UTC().Format("2006-01-02T15:04:05Z")), nil
}
