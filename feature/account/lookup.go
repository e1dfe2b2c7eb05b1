package account

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Account is the account at a bare address of the domain; core.ErrNoAccount if there is none.
func (a *Accounts) Account(ctx context.Context, bare xmpp.JID) (*core.Account, error) {
	if bare.Domain() != a.domain.Domain() || bare.Local() == "" {
		return nil, core.ErrNoAccount
	}
	found, err := a.find(ctx, bare.Local())
	if err != nil {
		return nil, err
	}
	return found.account, nil
}

// Prepare is the canonical form of a user name given at login (RFC 7622 §3.3). A whole address of the domain is taken for its local part,
// because people type it.
func (a *Accounts) Prepare(username string) (string, error) {
	jid, err := xmpp.NewJID(username, a.domain.Domain(), "")
	if err != nil {
		whole, wholeErr := xmpp.ParseJID(username)
		if wholeErr != nil || whole.Bare().Host() != a.domain || whole.Local() == "" {
			return "", err
		}
		jid = whole
	}
	if jid.Local() == "" {
		return "", fmt.Errorf("%w: empty", ErrName)
	}
	return jid.Local(), nil
}

// Credentials are the salted keys of an account by its prepared name, one for each hash, and whether the account is closed for login;
// sasl.ErrUnknownUser if there is no such account.
func (a *Accounts) Credentials(ctx context.Context, name string) (found []sasl.Credential, disabled bool, err error) {
	rows, err := a.db.Query(ctx, `select c.hash, c.salt, c.iterations, c.stored_key, c.server_key, a.disabled
		from account a join account_credential c on c.account = a.id where a.name = $1 and not a.removing`, name)
	if err != nil {
		return nil, false, fmt.Errorf("look up credentials: %w", err)
	}
	for rows.Next() {
		var c sasl.Credential
		if err := rows.Scan(&c.Hash, &c.Salt, &c.Iterations, &c.StoredKey, &c.ServerKey, &disabled); err != nil {
			return nil, false, fmt.Errorf("read credentials: %w", err)
		}
		found = append(found, c)
	}
	if len(found) == 0 {
		return nil, false, sasl.ErrUnknownUser
	}
	return found, disabled, nil
}

// Iterations is how often a new password is hashed (Config.Iterations).
func (a *Accounts) Iterations() int { return a.cfg.Iterations }

// IsAdmin reports whether the account may administer the service.
func (a *Accounts) IsAdmin(ctx context.Context, account *core.Account) (bool, error) {
	found, err := a.find(ctx, account.JID.Local())
	if errors.Is(err, core.ErrNoAccount) {
		return false, nil
	}
	return err == nil && found.role == Admin && !found.disabled, err
}

// IsOpen reports whether there is an account with this number and it may log in. In a transaction it sees what that has written.
func (a *Accounts) IsOpen(ctx context.Context, id int64) (bool, error) {
	var n int
	if err := a.db.QueryRow(ctx, `select count(*) from account where id = $1 and not disabled and not removing`, id).Scan(&n); err != nil {
		return false, fmt.Errorf("look up account: %w", err)
	}
	return n > 0, nil
}

// entry is what is remembered of an account.
type entry struct {
	account  *core.Account
	role     Role
	disabled bool
	seen     int64 // microseconds; guarded by cache.mu
}

func (a *Accounts) find(ctx context.Context, name string) (*entry, error) {
	found, turn := a.cache.get(name)
	if found != nil {
		return found, nil
	}
	found = &entry{account: &core.Account{}}
	err := a.db.QueryRow(ctx, `select id, role, disabled, seen from account where name = $1 and not removing`, name).
		Scan(&found.account.ID, &found.role, &found.disabled, &found.seen)
	if errors.Is(err, store.ErrNoRows) {
		return nil, core.ErrNoAccount
	}
	if err != nil {
		return nil, fmt.Errorf("look up account: %w", err)
	}
	if found.account.JID, err = a.jid(name); err != nil {
		return nil, fmt.Errorf("look up account: %w", err)
	}
	a.cache.put(name, found, turn)
	return found, nil
}

// cache remembers accounts by name. A look-up that was under way while something changed is not remembered.
type cache struct {
	mu      sync.Mutex // guards what follows
	entries map[string]*entry
	turn    uint64 // grows with every change
	size    int
}

func newCache(size int) *cache { return &cache{entries: map[string]*entry{}, size: size} }

func (c *cache) get(name string) (found *entry, turn uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[name], c.turn
}

func (c *cache) put(name string, found *entry, turn uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn != turn {
		return
	}
	if len(c.entries) >= c.size {
		for any := range c.entries {
			delete(c.entries, any)
			break
		}
	}
	c.entries[name] = found
}

// drop forgets an account. Call it after the commit that changed it.
func (c *cache) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, name)
	c.turn++
}

const day = int64(24 * time.Hour / time.Microsecond)

// noteSeen writes the day of a session, once a day and without making the session wait. Finer times would tell the operator more about
// people than running a service needs.
func (a *Accounts) noteSeen(session *core.Session) {
	name, today := session.Account.JID.Local(), time.Now().UnixMicro()/day*day
	if !a.cache.passed(name, today) {
		return
	}
	id := session.Account.ID
	a.db.Submit(context.Background(), func(ctx context.Context) error {
		_, err := a.db.Exec(ctx, `update account set seen = $1 where id = $2 and seen < $1`, today, id)
		return err
	}, func(err error) {
		if err != nil {
			a.log.Warn("could not note when an account was used", "account", name, "err", err)
		}
	})
}

// passed notes the day for a remembered account and reports whether it is a new one.
func (c *cache) passed(name string, today int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.entries[name]
	if found == nil {
		return true
	}
	isNew := found.seen < today
	found.seen = today
	return isNew
}
