// Package last tells contacts when somebody was there last (XEP-0012): only those who may see the account's presence, and only if the account
// lets them. An account that does not want it hides it with a command (XEP-0050). How long a device has been idle is the device's to tell;
// the same rule decides who may ask it.
package last

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespace is that of XEP-0012.
const Namespace = "jabber:iq:last"

//go:embed migrations/*.sql
var migrations embed.FS

// maxStatus is the most bytes of a last status that are kept.
const maxStatus = 1023

// Contacts knows who may see an account's presence.
type Contacts interface {
	Subscribed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error)
}

// Feature is when each account was there last.
type Feature struct {
	db       *store.DB
	contacts Contacts
	server   *core.Server
	log      *slog.Logger
	stays    *core.Key[stay]
}

// stay is how far a session has come.
type stay uint8

const (
	unseen stay = iota
	there
	left // it has said so, and it is noted
)

// New opens the table. Errors are those of the database.
func New(ctx context.Context, db *store.DB, contacts Contacts, log *slog.Logger) (*Feature, error) {
	if err := db.Migrate(ctx, "last", migrations); err != nil {
		return nil, fmt.Errorf("last: %w", err)
	}
	return &Feature{db: db, contacts: contacts, log: log.With("part", "last"), stays: new(core.Key[stay])}, nil
}

// Attach hangs the feature into the journey.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtAccount, Namespace, "query", f.query)
	s.Check(core.Received, f.check)
	s.Tell(core.Sent, f.sent)
	s.OnUnbind(f.ended)
	s.OnRemove(func(ctx context.Context, account *core.Account) error {
		_, err := f.db.Exec(ctx, `delete from last_seen where account = $1`, account.ID)
		return err
	})
}

// query tells when the account was there last (XEP-0012 §3).
func (f *Feature) query(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if r.Set {
		return nil, xmpp.BadRequest
	}
	at, status, err := f.tellable(ctx, r.Account, r.Stanza.From)
	if err != nil {
		return nil, err
	}
	if f.online(r.Account) {
		return answer(0, ""), nil
	}
	if at.IsZero() {
		return nil, xmpp.ItemNotFound
	}
	return answer(max(0, time.Since(at)), status), nil
}

func answer(ago time.Duration, status string) *xmpp.Element {
	query := xmpp.NewElement(Namespace, "query").Set("seconds", strconv.FormatInt(int64(ago/time.Second), 10))
	if status != "" {
		query.AddText(status)
	}
	return query
}

// tellable is when the account was there last, or forbidden if that is not for whoever asks.
func (f *Feature) tellable(ctx context.Context, account *core.Account, asker xmpp.JID) (at time.Time, status string, err error) {
	seen, err := f.contacts.Subscribed(ctx, account, asker)
	if err != nil {
		return at, "", err
	}
	if !seen {
		return at, "", xmpp.Forbidden
	}
	var micros int64
	var hidden bool
	err = f.db.QueryRow(ctx, `select at, status, hidden from last_seen where account = $1`, account.ID).Scan(&micros, &status, &hidden)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return at, "", nil
	case err != nil:
		return at, "", fmt.Errorf("read when an account was there: %w", err)
	case hidden && asker.Bare() != account.JID:
		return at, "", xmpp.Forbidden
	case micros == 0:
		return at, "", nil
	}
	return time.UnixMicro(micros), status, nil
}

func (f *Feature) online(account *core.Account) bool {
	for _, session := range f.server.Sessions(account.JID) {
		if ok, _ := session.Available(); ok {
			return true
		}
	}
	return false
}

// check keeps the same question from an account's devices when it is not for whoever asks (XEP-0012 §4).
func (f *Feature) check(ctx context.Context, t *core.Transit) error {
	st := t.Stanza
	if st.Kind != xmpp.IQ || st.Type != "get" || st.To.IsBare() || !st.First().Is(Namespace, "query") {
		return nil
	}
	_, _, err := f.tellable(ctx, t.Receiver, st.From)
	return err
}

// sent sees sessions come and go.
func (f *Feature) sent(_ context.Context, t *core.Transit) {
	st := t.Stanza
	if st.Kind != xmpp.Presence || t.Via == nil || !st.To.IsZero() {
		return
	}
	session := t.Via
	switch {
	case st.Type == "":
		f.stays.Set(session, there)
	case st.Type == "unavailable" && f.stays.Get(session) == there:
		status := st.Child(xmpp.NSClient, "status").Text()
		f.stays.Set(session, left)
		t.After(func(ctx context.Context) { f.gone(ctx, session.Account, status) })
	}
}

func (f *Feature) ended(ctx context.Context, session *core.Session) {
	if f.stays.Get(session) == there {
		f.gone(ctx, session.Account, "")
	}
}

// gone notes the time if no other session of the account is there. Nobody waits for the disk: what a crash loses is a time.
func (f *Feature) gone(ctx context.Context, account *core.Account, status string) {
	if f.online(account) {
		return
	}
	if len(status) > maxStatus {
		status = strings.ToValidUTF8(status[:maxStatus], "")
	}
	now := time.Now().UnixMicro()
	f.db.Submit(context.WithoutCancel(ctx), func(ctx context.Context) error {
		_, err := f.db.Exec(ctx, `insert into last_seen (account, at, status, hidden) values ($1, $2, $3, $4)
			on conflict (account) do update set at = excluded.at, status = excluded.status`, account.ID, now, status, false)
		return err
	}, func(err error) {
		if err != nil {
			f.log.Warn("could not note when an account left", "account", account.JID.String(), "err", err)
		}
	})
}

// Hide sets whether the account keeps to itself when it was there.
func (f *Feature) Hide(ctx context.Context, account *core.Account, hidden bool) error {
	_, err := f.db.Exec(ctx, `insert into last_seen (account, at, status, hidden) values ($1, 0, '', $2)
		on conflict (account) do update set hidden = excluded.hidden`, account.ID, hidden)
	if err != nil {
		return fmt.Errorf("hide when an account was there: %w", err)
	}
	return nil
}

// Hidden reports what Hide has set; false at first.
func (f *Feature) Hidden(ctx context.Context, account *core.Account) (hidden bool, err error) {
	err = f.db.QueryRow(ctx, `select hidden from last_seen where account = $1`, account.ID).Scan(&hidden)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return false, fmt.Errorf("read what an account hides: %w", err)
	}
	return hidden, nil
}
