package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp/sasl"
)

var insertCredential = store.NewInsert("account_credential", "account", "hash", "salt", "iterations", "stored_key", "server_key")

// Name is the prepared form of a name that somebody wishes for a new account; an error that wraps ErrName if it cannot be one.
func (a *Accounts) Name(wish string) (string, error) {
	if utf8.RuneCountInString(wish) > a.cfg.MaxNameLength {
		return "", ErrName
	}
	jid, err := a.jid(wish)
	if err != nil {
		return "", ErrName
	}
	if jid.Local() == "" {
		return "", ErrName
	}
	return jid.Local(), nil
}

// Free says whether anybody may take a name for a new account now: nil, or an error that wraps ErrName, ErrReserved, ErrTaken or
// ErrResting.
func (a *Accounts) Free(ctx context.Context, wish string) error {
	name, err := a.Name(wish)
	if err != nil {
		return err
	}
	if slices.Contains(a.cfg.ReservedNames, name) {
		return ErrReserved
	}
	return a.untaken(ctx, name)
}

func (a *Accounts) untaken(ctx context.Context, name string) error {
	var removing bool
	err := a.db.QueryRow(ctx, `select removing from account where name = $1`, name).Scan(&removing)
	switch {
	case err == nil && removing:
		return ErrResting // it is not gone yet
	case err == nil:
		return ErrTaken
	case !errors.Is(err, store.ErrNoRows):
		return fmt.Errorf("look up name: %w", err)
	}
	var count int
	rested := time.Now().Add(-a.cfg.NameRest).UnixMicro()
	if err := a.db.QueryRow(ctx, `select count(*) from account_gone where name = $1 and removed > $2`, name, rested).Scan(&count); err != nil {
		return fmt.Errorf("look up name: %w", err)
	}
	if count > 0 {
		return ErrResting
	}
	return nil
}

// Create makes an account. It returns after the account is on disk, or an error that wraps ErrName, ErrPassword, ErrTaken or
// ErrResting; reserved names are the caller's to refuse (Free). An admin may administer the service. A with that is not nil runs in the same transaction, and its error means
// that there is no account.
func (a *Accounts) Create(ctx context.Context, wish, password string, admin bool, with func(ctx context.Context, account *core.Account) error) (*core.Account, error) {
	name, err := a.Name(wish)
	if err != nil {
		return nil, err
	}
	credentials, err := a.derive(password)
	if err != nil {
		return nil, err
	}
	return a.insert(ctx, name, roleOf(admin), credentials, with)
}

func (a *Accounts) insert(ctx context.Context, name string, role Role, credentials []sasl.Credential, with func(context.Context, *core.Account) error) (*core.Account, error) {
	jid, err := a.jid(name)
	if err != nil {
		return nil, fmt.Errorf("create account: %w", err)
	}
	account := &core.Account{ID: a.db.Next(), JID: jid}
	err = a.db.Tx(ctx, func(ctx context.Context) error {
		if err := a.untaken(ctx, name); err != nil {
			return err
		}
		if _, err := a.db.Exec(ctx, `insert into account (id, name, role, disabled, removing, seen) values ($1, $2, $3, false, false, 0)`,
			account.ID, name, role); err != nil {
			return err
		}
		if err := a.putCredentials(ctx, account.ID, credentials); err != nil || with == nil {
			return err
		}
		return with(ctx, account)
	})
	if err != nil {
		return nil, fmt.Errorf("create account %s: %w", name, err)
	}
	a.cache.drop(name)
	a.log.Info("account created", "account", name, "role", string(role))
	return account, nil
}

// derive salts and hashes a password for every hash; it takes some ten milliseconds of a processor.
func (a *Accounts) derive(password string) ([]sasl.Credential, error) {
	if utf8.RuneCountInString(password) < a.cfg.MinPasswordLength {
		return nil, unusable(fmt.Sprintf("a password needs at least %d characters", a.cfg.MinPasswordLength))
	}
	return a.hash(password)
}

// hash is derive without a least length.
func (a *Accounts) hash(password string) ([]sasl.Credential, error) {
	credentials := make([]sasl.Credential, len(hashes))
	for i, hash := range hashes {
		credential, err := sasl.NewCredential(hash, password, a.cfg.Iterations)
		if errors.Is(err, sasl.ErrPassword) {
			return nil, unusable(strings.TrimPrefix(err.Error(), "sasl: "))
		}
		if err != nil {
			return nil, fmt.Errorf("hash password: %w", err)
		}
		credentials[i] = credential
	}
	return credentials, nil
}

func (a *Accounts) putCredentials(ctx context.Context, id int64, credentials []sasl.Credential) error {
	if _, err := a.db.Exec(ctx, `delete from account_credential where account = $1`, id); err != nil {
		return err
	}
	for _, c := range credentials {
		if err := a.db.Append(ctx, insertCredential, id, string(c.Hash), c.Salt, c.Iterations, c.StoredKey, c.ServerKey); err != nil {
			return err
		}
	}
	return nil
}

// SetPassword gives an account a new password, forgets what stood in for the old one, and ends the sessions that began with it: all but that
// of the device that changes it, keep, which may be nil. They are told to authenticate anew (reset, RFC 6120 §4.9.3.16). A with that is not nil runs in the same transaction,
// before anything else of it, and its error means that the password stays. It returns an error that wraps ErrPassword or core.ErrNoAccount, or that of with.
func (a *Accounts) SetPassword(ctx context.Context, account *core.Account, password string, keep *core.Session, with func(ctx context.Context, account *core.Account) error) error {
	credentials, err := a.derive(password)
	if err != nil {
		return err
	}
	err = a.db.Tx(ctx, func(ctx context.Context) error {
		if err := a.touch(ctx, `update account set seen = seen where id = $1 and not removing`, account); err != nil {
			return err
		}
		if with != nil {
			if err := with(ctx, account); err != nil {
				return err
			}
		}
		for _, fn := range a.newPassword {
			if err := fn(ctx, account); err != nil {
				return err
			}
		}
		return a.putCredentials(ctx, account.ID, credentials)
	})
	if err != nil {
		return fmt.Errorf("set password of %s: %w", account.JID.Local(), err)
	}
	a.log.Info("password changed", "account", account.JID.Local())
	a.endSessions(account, keep, "reset", "the password has been changed")
	return nil
}

// touch runs a statement about one account, whose id is $1, and reports core.ErrNoAccount if it met none.
func (a *Accounts) touch(ctx context.Context, sql string, account *core.Account, args ...any) error {
	n, err := a.db.Exec(ctx, sql, append([]any{account.ID}, args...)...)
	if err == nil && n == 0 {
		return core.ErrNoAccount
	}
	return err
}

// SetAdmin makes an account an administrator or a member. A with that is not nil runs in the same transaction if the account was not that already, and its error means that it
// stays what it was. It returns an error that wraps core.ErrNoAccount, or that of with.
func (a *Accounts) SetAdmin(ctx context.Context, account *core.Account, admin bool, with func(ctx context.Context, account *core.Account) error) error {
	return a.changed(account, "role", a.db.Tx(ctx, func(ctx context.Context) error {
		n, err := a.db.Exec(ctx, `update account set role = $2 where id = $1 and not removing and role <> $2`, account.ID, string(roleOf(admin)))
		switch {
		case err != nil:
			return err
		case n == 0:
			return a.touch(ctx, `update account set seen = seen where id = $1 and not removing`, account)
		case with == nil:
			return nil
		}
		return with(ctx, account)
	}))
}

func roleOf(admin bool) Role {
	if admin {
		return Admin
	}
	return Member
}

// Disable ends the sessions of an account, takes back what it has handed out (OnDisable) and lets nobody log in to it. Its data stays and it
// goes on receiving.
func (a *Accounts) Disable(ctx context.Context, account *core.Account) error {
	name := account.JID.Local()
	err := a.db.Tx(ctx, func(ctx context.Context) error {
		if err := a.touch(ctx, `update account set disabled = true where id = $1 and not removing`, account); err != nil {
			return err
		}
		for _, fn := range a.disabled {
			if err := fn(ctx, account); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("disable account %s: %w", name, err)
	}
	a.cache.drop(name)
	a.log.Info("account changed", "account", name, "what", "disabled")
	a.endSessions(account, nil, "not-authorized", "this account has been disabled")
	return nil
}

// Enable lets people log in to a disabled account again.
func (a *Accounts) Enable(ctx context.Context, account *core.Account) error {
	return a.changed(account, "enabled", a.touch(ctx, `update account set disabled = false where id = $1 and not removing`, account))
}

// changed ends what was done to an account, with err.
func (a *Accounts) changed(account *core.Account, what string, err error) error {
	name := account.JID.Local()
	if err != nil {
		return fmt.Errorf("change account %s: %w", name, err)
	}
	a.cache.drop(name)
	a.log.Info("account changed", "account", name, "what", what)
	return nil
}

// endSessions ends all sessions of an account but one, which may be nil.
func (a *Accounts) endSessions(account *core.Account, but *core.Session, condition, text string) {
	if a.server == nil {
		return
	}
	for _, session := range a.server.Sessions(account.JID) {
		if session != but && session.Account.ID == account.ID {
			session.End(condition, text)
		}
	}
}
