package register

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/xmpp"
)

// namesPerHour is how many names one address (IPv6: one /64) may ask about in an hour: enough for who types, little for who collects names.
const namesPerHour = 300

// browser is how invitations are taken up in the web client: at /join/TOKEN, which asks here what the invitation says and which names are
// free. The account itself is made as by every other app (XEP-0445).
type browser struct {
	offered bool
	names   *rate.Limiter[netip.Prefix]
}

func newBrowser() browser { return browser{names: rate.New[netip.Prefix](namesPerHour, time.Hour)} }

// OfferBrowser has the pages of invitations lead to the web client first. Call it before the pages are served, where there is one.
func (f *Feature) OfferBrowser() { f.browser.offered = true }

func (f *Feature) routeBrowser(mux *http.ServeMux) {
	mux.HandleFunc("GET /invite/{token}/about", f.tellAbout)
	mux.HandleFunc("GET /invite/{token}/free", f.tellFree)
}

// aboutInvite is what an invitation says. Times are as XEP-0082 has them.
type aboutInvite struct {
	Domain  string    `json:"domain"`
	Inviter string    `json:"inviter,omitempty"` // address of who becomes a contact
	Name    string    `json:"name,omitempty"`    // the only name that it is good for
	Account bool      `json:"account"`
	Admin   bool      `json:"admin"`
	Expires time.Time `json:"expires"`
}

// tellAbout answers with an aboutInvite; 404 if it cannot be used, 429 after too many tries.
func (f *Feature) tellAbout(w http.ResponseWriter, r *http.Request) {
	if err := f.attempt(clientOf(r)); err != nil {
		tell(w, http.StatusTooManyRequests, nil)
		return
	}
	invite, err := f.find(r.Context(), r.PathValue("token"))
	if err != nil {
		f.tellFailure(w, err)
		return
	}
	about := aboutInvite{Domain: f.server.Domain().Domain(), Name: invite.Name, Account: invite.Account, Admin: invite.Admin, Expires: invite.Expires.UTC()}
	if invite.from != "" && invite.Befriend {
		about.Inviter = invite.from + "@" + about.Domain
	}
	tell(w, http.StatusOK, about)
}

// tellFree answers {"free": true}, or false with why: "taken" or "unusable". Only who holds an invitation is answered.
func (f *Feature) tellFree(w http.ResponseWriter, r *http.Request) {
	if !f.browser.names.Allow(place(clientOf(r))) {
		tell(w, http.StatusTooManyRequests, nil)
		return
	}
	invite, err := f.find(r.Context(), r.PathValue("token"))
	if errors.Is(err, ErrInvite) && f.attempt(clientOf(r)) != nil {
		tell(w, http.StatusTooManyRequests, nil)
		return
	}
	if err == nil {
		err = f.freeFor(r.Context(), invite, r.URL.Query().Get("name"))
	}
	var told *xmpp.Error
	switch {
	case err == nil:
		tell(w, http.StatusOK, map[string]any{"free": true})
	case errors.Is(err, ErrInvite) || !errors.As(err, &told):
		f.tellFailure(w, err)
	case errors.Is(err, xmpp.NotAcceptable) || errors.Is(err, xmpp.BadRequest):
		tell(w, http.StatusOK, map[string]any{"free": false, "why": "unusable"})
	default:
		tell(w, http.StatusOK, map[string]any{"free": false, "why": "taken"})
	}
}

// freeFor says whether an invitation can make an account with a name now.
func (f *Feature) freeFor(ctx context.Context, invite *Invite, name string) error {
	if err := f.mayTake(ctx, invite, name); err != nil {
		return err
	}
	bare, err := xmpp.NewJID(name, f.server.Domain().Domain(), "")
	if err != nil {
		return xmpp.NotAcceptable.Because("this name cannot be used")
	}
	_, err = f.server.Account(ctx, bare) // a reserved name that an administrator may take
	switch {
	case err == nil:
		return xmpp.Conflict.Because("this name is taken")
	case errors.Is(err, core.ErrNoAccount):
		return nil
	}
	return err
}

func (f *Feature) tellFailure(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrInvite) {
		tell(w, http.StatusNotFound, nil)
		return
	}
	f.log.Error("invitation not read", "err", err)
	tell(w, http.StatusInternalServerError, nil)
}

func tell(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if answer == nil {
		answer = struct{}{}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return // whoever asked has gone
	}
}
