package c2s

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"palabre.dev/palabre/core"
)

// Device is an installation of a client that may return without a password.
type Device struct {
	ID       string // of the client's choosing (XEP-0388 §2.3)
	Software string
	Name     string
	Since    time.Time
	Used     time.Time // to the hour
}

// Devices are the installations that may return to an account without its password, at most 100, the one used last first.
func (d *Door) Devices(ctx context.Context, account *core.Account) ([]Device, error) {
	rows, err := d.tokens.db.Query(ctx, `select client, software, device, min(created), max(used) from c2s_token
		where account = $1 and expires > $2 group by client, software, device order by max(used) desc limit 100`,
		account.ID, time.Now().UnixMicro())
	if err != nil {
		return nil, err
	}
	var out []Device
	for rows.Next() {
		var one Device
		var since, used int64
		if err := rows.Scan(&one.ID, &one.Software, &one.Name, &since, &used); err != nil {
			return nil, err
		}
		one.Since, one.Used = time.UnixMicro(since), time.UnixMicro(used)
		out = append(out, one)
	}
	return out, nil
}

// DeviceOf is the installation behind a session, its ID empty if it told none and its times zero, and whether it logged in with the password.
func (d *Door) DeviceOf(session *core.Session) (device Device, password bool) {
	s := d.bound.Get(session)
	if s == nil {
		return Device{}, false
	}
	return Device{ID: s.client.id, Software: s.client.software, Name: s.client.device}, s.client.password
}

// Admission is what an installation begins with that another one lets in.
type Admission struct {
	Client    string // the id that it has to tell (XEP-0388 §2.3)
	Mechanism string
	Token     string
	Expires   time.Time
}

// admission is the mechanism of such tokens: it needs nothing of the connection, which neither of the two devices knows.
const admission = "HT-SHA-256-NONE"

// Admit makes a token for an installation that is not known yet (XEP-0484), good for a login within life, which must be shorter than a day. Who
// comes with it is given one with the usual life.
func (d *Door) Admit(ctx context.Context, account *core.Account, life time.Duration) (Admission, error) {
	if account == nil || life <= 0 || life > 24*time.Hour {
		return Admission{}, errors.New("no account, or not for so long")
	}
	one := Admission{Client: uuid(), Mechanism: admission}
	var err error
	one.Token, one.Expires, err = d.tokens.draw(ctx, account.ID, client{id: one.Client}, admission, life)
	return one, err
}

// uuid is a random UUID (version 4), as XEP-0388 §2.3 wants an id to be.
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// OnBegin adds what happens when a session has begun and DeviceOf knows it. It must be quick.
func (d *Door) OnBegin(fn func(session *core.Session)) { d.begins = append(d.begins, fn) }

// ForgetDevice takes the tokens of one installation away, "" for all of the account's, as after a change of the password. Sessions that
// it has go on.
func (d *Door) ForgetDevice(ctx context.Context, account *core.Account, id string) error {
	if account == nil {
		return errors.New("no account")
	}
	if id == "" {
		return d.tokens.removeAccount(ctx, account)
	}
	return d.tokens.forget(ctx, account.ID, id)
}

// RevokeDevice is ForgetDevice for one installation; a login of it that is under way gets neither a session nor a token.
func (d *Door) RevokeDevice(ctx context.Context, account *core.Account, id string) error {
	if account == nil || id == "" {
		return errors.New("no device")
	}
	d.revoked.add(account.ID, id, time.Now())
	if err := d.tokens.forget(ctx, account.ID, id); err != nil {
		return err
	}
	owns := func(resource string) bool { return d.owns(account.ID, id, resource) }
	for _, fn := range d.revokes {
		if err := fn(ctx, account, owns); err != nil {
			return err
		}
	}
	return nil
}

// OnRevoke adds what happens when the access of an installation is taken away; owns says of a resource whether the installation's sessions get it.
// An error is told to whoever takes the access away, and can try again.
func (d *Door) OnRevoke(fn func(ctx context.Context, account *core.Account, owns func(resource string) bool) error) {
	d.revokes = append(d.revokes, fn)
}

// stillWelcome ends a login that began before the installation was revoked.
func (c *connection) stillWelcome() error {
	d := c.door
	if c.client.id == "" || !d.revoked.since(c.account.ID, c.client.id, c.proved) {
		return nil
	}
	return c.shutOut("not-authorized", "this app was signed out")
}

// shutOut ends a login that was overtaken, with the tokens that the installation was given meanwhile.
func (c *connection) shutOut(condition, text string) error {
	if d := c.door; c.client.id != "" {
		if err := d.tokens.forget(d.life, c.account.ID, c.client.id); err != nil {
			d.log.Error("forget the tokens of a client that is shut out", "err", err)
			return fatal("internal-server-error", "")
		}
	}
	return fatal(condition, text)
}

// maxRevoked is how many revocations are remembered: more than can have logins under way.
const maxRevoked = 200

// revoked are the installations that were revoked last.
type revoked struct {
	mu   sync.Mutex // guards list
	list []revocation
}

type revocation struct {
	account int64
	client  string
	at      time.Time
}

func (r *revoked) add(account int64, client string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) >= maxRevoked {
		r.list = slices.Delete(r.list, 0, 1)
	}
	r.list = append(r.list, revocation{account, client, at})
}

// since reports whether an installation was revoked after a time.
func (r *revoked) since(account int64, client string, began time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.list, func(one revocation) bool {
		return one.account == account && one.client == client && one.at.After(began)
	})
}
