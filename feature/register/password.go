package register

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// linkLife is how long a link for a new password is good.
const linkLife = 24 * time.Hour

// PasswordLink makes a link, in the name of an administrator, with which whoever has it sets a new password for an account, once, within a day; those made before are void.
// URI is empty. It returns xmpp.ServiceUnavailable if there are no pages.
func (f *Feature) PasswordLink(ctx context.Context, by, account *core.Account) (Link, error) {
	if f.web == "" {
		return Link{}, xmpp.ServiceUnavailable.Because("the server has no pages for browsers")
	}
	token, expires := newToken(), time.Now().Add(linkLife)
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		_, err := f.db.Exec(ctx, `insert into register_password (account, token, name, maker, expires) values ($1, $2, $3, $4, $5)
			on conflict (account) do update set token = excluded.token, name = excluded.name, maker = excluded.maker, expires = excluded.expires`,
			account.ID, digest(token), account.JID.Local(), by.JID.Local(), expires.UnixMicro())
		if err != nil || f.Linked == nil {
			return err
		}
		return f.Linked(ctx, by.JID.Bare(), account)
	})
	if err != nil {
		return Link{}, fmt.Errorf("keep a link for a password: %w", err)
	}
	return Link{Web: f.web + "/password/" + token, Expires: expires.UTC().Truncate(time.Second)}, nil
}

// VoidLink makes the link for a new password of an account void, in the transaction of ctx: it has a new password, or is gone.
func (f *Feature) VoidLink(ctx context.Context, account *core.Account) error {
	_, err := f.db.Exec(ctx, `delete from register_password where account = $1`, account.ID)
	return err
}

// linked is the account that a link for a new password is for; ErrInvite if it is not good (any more).
func (f *Feature) linked(ctx context.Context, token string) (*core.Account, error) {
	if len(token) > 64 {
		return nil, ErrInvite
	}
	var id, expires int64
	var name string
	err := f.db.QueryRow(ctx, `select account, name, expires from register_password where token = $1`, digest(token)).Scan(&id, &name, &expires)
	if errors.Is(err, store.ErrNoRows) || err == nil && time.Now().UnixMicro() > expires {
		return nil, ErrInvite
	}
	if err != nil {
		return nil, fmt.Errorf("look up a link for a password: %w", err)
	}
	jid, err := xmpp.NewJID(name, f.server.Domain().Domain(), "")
	if err != nil {
		return nil, err
	}
	account, err := f.server.Account(ctx, jid)
	if errors.Is(err, core.ErrNoAccount) || err == nil && account.ID != id {
		return nil, ErrInvite
	}
	return account, err
}

// useLink makes a link void, in the transaction of ctx that sets the password, and tells whose it was; ErrInvite if it was used meanwhile, or another one was made.
func (f *Feature) useLink(ctx context.Context, token string, account *core.Account) error {
	var local string
	err := f.db.QueryRow(ctx, `select maker from register_password where token = $1 and account = $2`, digest(token), account.ID).Scan(&local)
	if errors.Is(err, store.ErrNoRows) {
		return ErrInvite
	}
	if err != nil {
		return fmt.Errorf("look up who made a link for a password: %w", err)
	}
	if err := f.VoidLink(ctx, account); err != nil || f.Taken == nil {
		return err
	}
	var by xmpp.JID
	if local != "" {
		if by, err = xmpp.NewJID(local, f.server.Domain().Domain(), ""); err != nil {
			return err
		}
	}
	return f.Taken(ctx, by, account)
}

// owner is the account of the link in the path; if there is none, the answer has been given.
func (f *Feature) owner(w http.ResponseWriter, r *http.Request) (*core.Account, bool) {
	problem := page{Title: "This link cannot be used", Domain: f.server.Domain().Domain()}
	if err := f.attempt(clientOf(r)); err != nil {
		problem.Problem = errTooMany.Text
		f.show(w, http.StatusTooManyRequests, "problem.html", problem)
		return nil, false
	}
	account, err := f.linked(r.Context(), r.PathValue("token"))
	switch {
	case errors.Is(err, ErrInvite):
		problem.Problem = "It has been used already, or its time is over. Ask the operator for a new one."
		f.show(w, http.StatusNotFound, "problem.html", problem)
	case err != nil:
		f.log.Error("password page failed", "err", err)
		problem.Problem = "Something went wrong on our side. Try again in a minute."
		f.show(w, http.StatusInternalServerError, "problem.html", problem)
	}
	return account, err == nil
}

func (f *Feature) passwordPage(account *core.Account, token string) page {
	return page{Title: "A new password", Domain: f.server.Domain().Domain(), Name: account.JID.Local(), JID: account.JID.String(), Action: "/password/" + token}
}

func (f *Feature) showPassword(w http.ResponseWriter, r *http.Request) {
	if account, ok := f.owner(w, r); ok {
		f.show(w, http.StatusOK, "password.html", f.passwordPage(account, r.PathValue("token")))
	}
}

func (f *Feature) takePassword(w http.ResponseWriter, r *http.Request) {
	account, ok := f.owner(w, r)
	if !ok {
		return
	}
	p := f.passwordPage(account, r.PathValue("token"))
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := f.owners.SetPassword(r.Context(), account, r.PostFormValue("password"), nil, func(ctx context.Context, account *core.Account) error {
		return f.useLink(ctx, r.PathValue("token"), account)
	})
	var told *xmpp.Error
	switch {
	case errors.As(err, &told):
		p.Problem = told.Text
		f.show(w, http.StatusUnprocessableEntity, "password.html", p)
	case err != nil:
		f.log.Error("password page failed", "err", err)
		p.Problem = "Something went wrong on our side. Try again in a minute."
		f.show(w, http.StatusInternalServerError, "password.html", p)
	default:
		p.Title, p.Action = "Done", ""
		f.show(w, http.StatusOK, "password.html", p)
	}
}
