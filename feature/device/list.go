package device

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Access is an app that has access to an account.
type Access struct {
	App
	// Handle names it to the account's owner.
	Handle string
	// Password says that it knows the password, Token that it has a token to return with.
	Password, Token bool
	// Sessions are those that it has now, dormant ones included.
	Sessions []*core.Session

	rank int // the place of its first session among the account's, from 1; 0 without one
}

// List are the apps that have access to an account, those with a session first, in the order in which these began, then the one used last.
func (f *Feature) List(ctx context.Context, account *core.Account) ([]Access, error) {
	all, err := f.read(ctx, account)
	if err != nil {
		return nil, err
	}
	returning, err := f.door.Returning(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, app := range returning {
		one := entry(&all, account, app)
		one.Token = true
	}
	for i, session := range f.server.Sessions(account.JID) {
		if session.Account.ID != account.ID {
			continue
		}
		app, password := f.door.Of(session)
		one := f.ofSession(&all, account, session, app)
		one.Sessions = append(one.Sessions, session)
		one.Password = one.Password || password || app.ID == ""
		one.Used = time.Now()
		if one.rank == 0 {
			one.rank = i + 1
		}
	}
	all = slices.DeleteFunc(all, func(one Access) bool { return !one.Password && !one.Token && len(one.Sessions) == 0 })
	slices.SortStableFunc(all, func(a, b Access) int {
		if a.rank > 0 || b.rank > 0 { // 0, none, comes last
			return cmp.Compare(uint(a.rank-1), uint(b.rank-1))
		}
		return b.Used.Compare(a.Used)
	})
	return all, nil
}

// read are the apps that are kept.
func (f *Feature) read(ctx context.Context, account *core.Account) ([]Access, error) {
	rows, err := f.db.Query(ctx, `select client, software, name, began, seen, password from device_app where account = $1 order by seen desc limit $2`,
		account.ID, maxApps)
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	var all []Access
	for rows.Next() {
		var one Access
		var began, seen int64
		if err := rows.Scan(&one.ID, &one.Software, &one.Name, &began, &seen, &one.Password); err != nil {
			return nil, fmt.Errorf("list apps: %w", err)
		}
		one.Since, one.Used, one.Handle = time.UnixMicro(began), time.UnixMicro(seen), handle(account, "app", one.ID)
		all = append(all, one)
	}
	return all, nil
}

// handle is what an app is called towards the owner of the account: its own id is for the server alone.
func handle(account *core.Account, kind, id string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + strconv.FormatInt(account.ID, 10) + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// entry finds an app in a list or adds it.
func entry(all *[]Access, account *core.Account, app App) *Access {
	if i := slices.IndexFunc(*all, func(one Access) bool { return one.ID == app.ID }); i >= 0 {
		return &(*all)[i]
	}
	*all = append(*all, Access{App: app, Handle: handle(account, "app", app.ID)})
	return &(*all)[len(*all)-1]
}

// ofSession is the entry of the app behind a session; one that told no id has an entry for each session.
func (f *Feature) ofSession(all *[]Access, account *core.Account, session *core.Session, app App) *Access {
	if app.ID != "" {
		one := entry(all, account, app)
		if one.Since.IsZero() {
			one.Since = time.Now()
		}
		return one
	}
	app.Since = time.Now()
	*all = append(*all, Access{App: app, Handle: handle(account, "session", session.JID.Resource())})
	return &(*all)[len(*all)-1]
}

// list is XEP-0494 §3.1.
func (f *Feature) list(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if r.Set {
		return nil, xmpp.BadRequest
	}
	all, err := f.List(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	clients := xmpp.NewElement(NS, "clients")
	for _, one := range all {
		clients.Add(one.element())
	}
	return clients, nil
}

func (a Access) element() *xmpp.Element {
	auth := xmpp.NewElement(NS, "auth")
	if a.Password {
		auth.Add(xmpp.NewElement(NS, "password"))
	}
	if a.Token {
		auth.Add(xmpp.NewElement(NS, "fast"))
	}
	agent := xmpp.NewElement(NS, "user-agent")
	if a.Software != "" {
		agent.Add(xmpp.NewText(NS, "software", a.Software))
	}
	if a.Name != "" {
		agent.Add(xmpp.NewText(NS, "device", a.Name))
	}
	e := xmpp.NewElement(NS, "client").Set("connected", strconv.FormatBool(len(a.Sessions) > 0)).Set("id", a.Handle).Set("type", "session")
	e.Add(xmpp.NewText(NS, "first-seen", stamp(a.Since)), xmpp.NewText(NS, "last-seen", stamp(a.Used)), auth,
		xmpp.NewElement(NS, "permission").Set("status", "unrestricted"), agent)
	for _, session := range a.Sessions {
		e.Add(xmpp.NewElement(NSOwn, "session").Set("resource", session.JID.Resource()))
	}
	return e
}

// stamp is a time as XEP-0082 has it.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// revoke is XEP-0494 §3.2. An app that knows the password can come back with it, which only a new password ends; with <sign-out/> it is
// ended all the same.
func (f *Feature) revoke(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if !r.Set || r.Payload.Attr("id") == "" {
		return nil, xmpp.BadRequest
	}
	all, err := f.List(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(one Access) bool { return one.Handle == r.Payload.Attr("id") })
	if i < 0 {
		return nil, xmpp.ItemNotFound
	}
	if all[i].Password && r.Payload.Child(NSOwn, "sign-out") == nil {
		return nil, badRevoke
	}
	if err := f.signOut(ctx, r.Account, all[i], r.Via); err != nil {
		return nil, err
	}
	if !slices.Contains(all[i].Sessions, r.Via) {
		return nil, nil
	}
	if err := f.server.Answer(ctx, r.Transit, r.Stanza.Reply()); err != nil {
		return nil, err
	}
	end(r.Via)
	return nil, core.ErrAnswered
}

// SignOut takes the access of all apps of an account away, as far as they do not know the password.
func (f *Feature) SignOut(ctx context.Context, account *core.Account) error {
	all, err := f.List(ctx, account)
	if err != nil {
		return err
	}
	for _, one := range all {
		if err := f.signOut(ctx, account, one, nil); err != nil {
			return err
		}
	}
	return nil
}

// signOut forgets an app and ends its sessions but one, which may be nil.
func (f *Feature) signOut(ctx context.Context, account *core.Account, one Access, but *core.Session) error {
	if one.ID != "" {
		if err := f.door.Forget(ctx, account, one.ID); err != nil {
			return err
		}
		if _, err := f.db.Exec(ctx, `delete from device_app where account = $1 and client = $2`, account.ID, one.ID); err != nil {
			return fmt.Errorf("forget an app: %w", err)
		}
		f.noted.Remove(key{account.ID, one.ID})
	}
	f.log.Info("an app was signed out", "account", account.JID.Local())
	for _, session := range one.Sessions {
		if session != but {
			end(session)
		}
	}
	return nil
}

// end closes a session for one that is no longer let in (RFC 6120 §4.9.3.12).
func end(session *core.Session) { session.End("not-authorized", "this app was signed out") }
