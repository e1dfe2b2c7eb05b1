package register

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

var (
	errNeedsInvite = xmpp.NotAllowed.Because("an account needs an invitation; ask somebody who has an account here, or the operator")
	// ErrInvite is what a token gets that is unknown, used up, expired or taken back (XEP-0445 §4).
	ErrInvite = xmpp.ItemNotFound.Because("The provided token is invalid or expired")
)

// keptExpired is how long an expired invitation stays, so that a registration that began in time can end (XEP-0445 §4).
const keptExpired = 24 * time.Hour

// Invite is an invitation.
type Invite struct {
	ID int64
	// Inviter is the id of the account that invites, 0 for the operator.
	Inviter int64
	// Befriend makes the inviter and the invited contacts of each other.
	Befriend bool
	// Account lets make an account.
	Account bool
	// Name is the only name that it is good for, "" for any.
	Name string
	// Admin makes the account an administrator.
	Admin bool
	// Desk says that an administrator made it over the wire, and not whoever has the machine.
	Desk bool
	// Uses is how often it can be used (1–1000).
	Uses int
	// Expires is when it ends.
	Expires time.Time

	from string // the inviter's local part, "" for the operator; set by Invite and find
}

// Link is an invitation as it is handed out. The token in it is not kept anywhere in the clear.
type Link struct {
	URI     string    `json:"uri"` // for an app: xmpp:…
	Web     string    `json:"web"` // for a browser: https://…, "" if there are no pages
	Expires time.Time `json:"expires"`
}

// Invite makes an invitation that lives for Config.InviteLife unless it says otherwise, and returns its links. from is who invites, nil
// for the operator.
func (f *Feature) Invite(ctx context.Context, from *core.Account, invite Invite) (Link, error) {
	if invite.Uses == 0 {
		invite.Uses = 1
	}
	if invite.Uses < 1 || invite.Uses > 1000 {
		return Link{}, xmpp.NotAcceptable.Because("an invitation has 1 to 1000 uses")
	}
	if invite.Expires.IsZero() {
		invite.Expires = time.Now().Add(f.cfg.InviteLife)
	}
	if invite.Name != "" {
		if err := f.reserve(ctx, &invite); err != nil {
			return Link{}, err
		}
	}
	if from != nil {
		invite.Inviter, invite.from = from.ID, from.JID.Local()
	}
	token := newToken()
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := f.db.Exec(ctx, `delete from register_invite where expires < $1`, time.Now().Add(-keptExpired).UnixMicro()); err != nil {
			return err
		}
		if err := f.mayStill(ctx, &invite); err != nil {
			return err
		}
		_, err := f.db.Exec(ctx, `insert into register_invite (id, token, inviter, inviter_name, befriend, account, name, admin, desk, uses, expires)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, f.db.Next(), digest(token), invite.Inviter, invite.from, invite.Befriend, invite.Account,
			invite.Name, invite.Admin, invite.Desk, invite.Uses, invite.Expires.UnixMicro())
		return err
	})
	if err != nil {
		return Link{}, fmt.Errorf("keep invitation: %w", err)
	}
	return f.link(&invite, token), nil
}

// reserve prepares the name of an invitation and refuses one that is taken. The names that are reserved for the operator are the
// operator's to give.
func (f *Feature) reserve(ctx context.Context, invite *Invite) error {
	jid, err := xmpp.NewJID(invite.Name, "localhost", "")
	if err != nil || jid.Local() == "" {
		return xmpp.NotAcceptable.Because("this name cannot be used")
	}
	invite.Name = jid.Local()
	if invite.Inviter == 0 && f.server != nil {
		bare, err := xmpp.NewJID(invite.Name, f.server.Domain().Domain(), "")
		if err != nil {
			return xmpp.NotAcceptable.Because("this name cannot be used")
		}
		if _, err := f.server.Account(ctx, bare); err == nil {
			return xmpp.Conflict.Because("this name is taken")
		} else if !errors.Is(err, core.ErrNoAccount) {
			return err
		}
		return nil
	}
	return f.mayTake(ctx, nil, invite.Name)
}

// newToken is 128 random bits in letters and digits.
func newToken() string {
	var random [16]byte
	rand.Read(random[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:]))
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// link is XEP-0401 §5.1 for one who becomes a contact, else XEP-0445 §2.
func (f *Feature) link(invite *Invite, token string) Link {
	l := Link{Expires: invite.Expires.UTC().Truncate(time.Second), URI: f.uri(invite, token)}
	if f.web != "" {
		l.Web = f.web + "/invite/" + token
	}
	return l
}

func (f *Feature) uri(invite *Invite, token string) string {
	domain := f.server.Domain().Domain()
	switch {
	case invite.Befriend && invite.Name == "" && invite.from != "":
		uri := "xmpp:" + url.PathEscape(invite.from) + "@" + domain + "?roster;preauth=" + token
		if invite.Account {
			uri += ";ibr=y"
		}
		return uri
	case invite.Name != "":
		return "xmpp:" + url.PathEscape(invite.Name) + "@" + domain + "?register;preauth=" + token
	}
	return "xmpp:" + domain + "?register;preauth=" + token
}

// FirstInvite makes an invitation for the first administrator, in place of those made before, and says whether one is needed: whether
// there is no account yet.
func (f *Feature) FirstInvite(ctx context.Context, accounts int) (link Link, needed bool, err error) {
	if accounts > 0 {
		return Link{}, false, nil
	}
	if _, err := f.db.Exec(ctx, `delete from register_invite where admin and inviter = 0`); err != nil {
		return Link{}, false, fmt.Errorf("take back older invitations: %w", err)
	}
	link, err = f.Invite(ctx, nil, Invite{Account: true, Admin: true})
	return link, err == nil, err
}

// find is the invitation with a token, ErrInvite if it is unknown, used up or expired, or if its inviter may not log in any more.
func (f *Feature) find(ctx context.Context, token string) (*Invite, error) {
	if len(token) > 64 {
		return nil, ErrInvite
	}
	invite := &Invite{}
	var expires int64
	err := f.db.QueryRow(ctx, `select id, inviter, inviter_name, befriend, account, name, admin, desk, uses, expires from register_invite where token = $1`, digest(token)).
		Scan(&invite.ID, &invite.Inviter, &invite.from, &invite.Befriend, &invite.Account, &invite.Name, &invite.Admin, &invite.Desk, &invite.Uses, &expires)
	if errors.Is(err, store.ErrNoRows) {
		return nil, ErrInvite
	}
	if err != nil {
		return nil, fmt.Errorf("look up invitation: %w", err)
	}
	invite.Expires = time.UnixMicro(expires)
	if invite.Uses < 1 || time.Now().After(invite.Expires) {
		return nil, ErrInvite
	}
	return invite, f.mayStill(ctx, invite)
}

// mayStill returns ErrInvite for an invitation of a member whose account has been closed or removed.
func (f *Feature) mayStill(ctx context.Context, invite *Invite) error {
	if invite.Inviter == 0 {
		return nil
	}
	open, err := f.standing.IsOpen(ctx, invite.Inviter)
	if err == nil && !open {
		err = ErrInvite
	}
	return err
}

// use takes one use of an invitation away, in the transaction of ctx.
func (f *Feature) use(ctx context.Context, invite *Invite) error {
	if err := f.mayStill(ctx, invite); err != nil {
		return err
	}
	n, err := f.db.Exec(ctx, `update register_invite set uses = uses - 1 where id = $1 and uses > 0`, invite.ID)
	if err != nil {
		return fmt.Errorf("use invitation: %w", err)
	}
	if n == 0 {
		return ErrInvite
	}
	return nil
}

// From is the local part of who invites, "" for the operator.
func (i Invite) From() string { return i.from }

// Open are the invitations that can still be used, newest first, at most max (1–1000).
func (f *Feature) Open(ctx context.Context, max int) ([]Invite, error) {
	rows, err := f.db.Query(ctx, `select id, inviter, inviter_name, befriend, account, name, admin, desk, uses, expires from register_invite
		where uses > 0 and expires > $1 order by id desc limit $2`, time.Now().UnixMicro(), min(1000, max))
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	var all []Invite
	for rows.Next() {
		var one Invite
		var expires int64
		if err := rows.Scan(&one.ID, &one.Inviter, &one.from, &one.Befriend, &one.Account, &one.Name, &one.Admin, &one.Desk, &one.Uses, &expires); err != nil {
			return nil, fmt.Errorf("list invitations: %w", err)
		}
		one.Expires = time.UnixMicro(expires)
		all = append(all, one)
	}
	return all, nil
}

// Withdraw makes one invitation void; xmpp.ItemNotFound if it is not there.
func (f *Feature) Withdraw(ctx context.Context, id int64) error {
	n, err := f.db.Exec(ctx, `delete from register_invite where id = $1`, id)
	if err != nil {
		return fmt.Errorf("take back an invitation: %w", err)
	}
	if n == 0 {
		return xmpp.ItemNotFound
	}
	return nil
}

// TakeBack makes all invitations of an account void, for good, and the links for new passwords that it has made, in the transaction of ctx if that has one.
func (f *Feature) TakeBack(ctx context.Context, account *core.Account) error {
	if _, err := f.db.Exec(ctx, `delete from register_invite where inviter = $1`, account.ID); err != nil {
		return err
	}
	_, err := f.db.Exec(ctx, `delete from register_password where maker = $1`, account.JID.Local())
	return err
}
