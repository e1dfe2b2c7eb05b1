package c2s

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// bind begins a session at a full address. Nothing is written to the client before attach.
func (c *connection) bind(jid xmpp.JID) (*session, error) {
	d := c.door
	s := &session{door: d, client: c.client, serial: c.serial}
	c.taken = s
	begun, err := d.server.Bind(d.life, c.account, jid, s)
	if err != nil {
		return nil, err
	}
	d.bound.Set(begun, s)
	s.mu.Lock()
	s.core = begun
	ended := s.ended
	var rest []core.Delivery
	if ended {
		rest = s.takeAll()
	}
	s.mu.Unlock()
	if ended {
		s.lost(rest)
		d.server.Unbind(d.life, begun)
		return nil, fatal("conflict", "another session took this resource")
	}
	if err := c.stillOpen(); err != nil {
		s.finish()
		return nil, err
	}
	for _, fn := range d.begins {
		fn(begun)
	}
	return s, nil
}

// stillOpen looks once more whether the account may be used: it may have been closed or removed, or have got another password, since the login.
// What bind has begun is among the sessions that are ended then, and what tokenFor has issued among the tokens that are deleted: so both come first.
func (c *connection) stillOpen() error {
	d := c.door
	account, err := d.server.Account(d.life, c.account.JID)
	disabled := err == nil && account.ID != c.account.ID // removed, and made anew by somebody else
	var kept []sasl.Credential
	if err == nil && !disabled {
		kept, disabled, err = d.credentials.Credentials(d.life, c.account.JID.Local())
	}
	switch {
	case disabled, errors.Is(err, core.ErrNoAccount), errors.Is(err, sasl.ErrUnknownUser):
		return c.shutOut("not-authorized", "this account is closed")
	case err != nil:
		d.log.Error("look at an account", "err", err)
		return fatal("internal-server-error", "")
	case !sameKeys(kept, c.kept):
		return c.shutOut("reset", "the password has been changed")
	}
	return c.stillWelcome()
}

// sameKeys reports whether two lists hold the same keys: each password that is set has salts of its own.
func sameKeys(a, b []sasl.Credential) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(one sasl.Credential) bool {
		return !slices.ContainsFunc(b, func(other sasl.Credential) bool {
			return one.Hash == other.Hash && bytes.Equal(one.StoredKey, other.StoredKey)
		})
	})
}

// begun opens the limits of a client that has a session.
func (c *connection) begun() {
	c.door.log.Debug("session begins or goes on", "account", c.account.JID.String(), "address", c.address.String())
	c.door.limits.admit(c)
	if c.login.header.Lang != serverLang {
		c.lang = c.login.header.Lang
	}
	c.stream.SetMaxSize(c.door.cfg.MaxStanza)
	c.stream.Compress()
}

// bindLegacy is RFC 6120 §7.6 and §7.7: the client may name a resource; if there is none, or it is in use by a session that is
// connected, the server chooses.
func (c *connection) bindLegacy(iq *xmpp.Stanza, resource string) error {
	refuse := func(err error) error {
		told, ok := errors.AsType[*xmpp.Error](err)
		if !ok {
			return err
		}
		return c.write(iq.ErrorReply(told).Append(nil))
	}
	jid, err := c.freeAddress(resource)
	if err != nil {
		return refuse(err)
	}
	s, err := c.bind(jid)
	if err != nil {
		return refuse(err)
	}
	result := (&xmpp.Stanza{Kind: xmpp.IQ, Type: "result", ID: iq.ID}).
		Add(xmpp.NewElement(xmpp.NSBind, "bind", xmpp.NewText(xmpp.NSBind, "jid", jid.String())))
	c.begun()
	return s.attach(c, result.Append(nil))
}

// freeAddress is the account's address with this resource, or with one that nobody uses.
func (c *connection) freeAddress(resource string) (xmpp.JID, error) {
	if resource == "" {
		return c.account.JID.WithResource(rand.Text()[:12])
	}
	jid, err := c.account.JID.WithResource(resource)
	if err != nil {
		return xmpp.JID{}, xmpp.BadRequest.Because("not a resource") // RFC 6120 §7.7.2.1
	}
	if before := c.door.server.Session(jid); before == nil || before.Dormant() {
		return jid, nil
	}
	return c.account.JID.WithResource(resource + "." + rand.Text()[:6])
}

// maxTag bounds what a client may put into its resource.
const maxTag = 64

// stableAddress is the same for the same installation of a client (XEP-0386 §4), and tells nobody its id.
func (c *connection) stableAddress(tag string) (xmpp.JID, error) {
	name := rand.Text()[:12]
	if c.client.id != "" {
		name = c.door.stableName(c.account.ID, c.client.id, tag)
	}
	if tag == "" {
		return c.account.JID.WithResource(name)
	}
	if len(tag) > maxTag {
		tag = strings.ToValidUTF8(tag[:maxTag], "")
	}
	jid, err := c.account.JID.WithResource(tag + "/" + name)
	if err != nil {
		return c.account.JID.WithResource(name)
	}
	return jid, nil
}

// stableName is the part of a resource that an installation of a client always gets for a tag.
func (d *Door) stableName(account int64, client, tag string) string {
	mac := hmac.New(sha256.New, d.secret)
	mac.Write([]byte("resource\x00" + strconv.FormatInt(account, 10) + "\x00" + client + "\x00" + tag))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:9])
}

// owns reports whether a resource is one that an installation of a client gets by Bind 2. For tags that are longer than maxTag, or written
// otherwise as an address, that cannot be said.
func (d *Door) owns(account int64, client, resource string) bool {
	cut := strings.LastIndexByte(resource, '/')
	return d.stableName(account, client, resource[:max(cut, 0)]) == resource[cut+1:]
}

// bind2 is XEP-0386: it begins the session and answers with <bound/>.
func (c *connection) bind2(ctx context.Context, request *xmpp.Element) (*session, *xmpp.Element, error) {
	jid, err := c.stableAddress(request.ChildText(nsBind2, "tag"))
	if err != nil {
		return nil, nil, err
	}
	s, err := c.bindInOrder(jid)
	if err != nil {
		return nil, nil, err
	}
	bound := xmpp.NewElement(nsBind2, "bound")
	for _, one := range c.door.inlines {
		bound.Add(one.handle(ctx, s.core, childOf(request, one.feature)))
	}
	if enable := request.Child(nsSM, "enable"); enable != nil {
		bound.Add(s.enable(enable))
	}
	if request.Child(nsCSI, "inactive") != nil {
		s.setInactive(true)
	}
	return s, bound, nil
}

func childOf(e *xmpp.Element, space string) *xmpp.Element {
	for child := range e.Children() {
		if child.Space == space {
			return child
		}
	}
	return nil
}

// bindInOrder is bind after the end of the installation's other sessions; of two connections of one account only one is at it at a time.
func (c *connection) bindInOrder(jid xmpp.JID) (*session, error) {
	turn := &c.door.binding[uint64(c.account.ID)%uint64(len(c.door.binding))]
	turn.Lock()
	defer turn.Unlock()
	if err := c.endOthers(jid); err != nil {
		return nil, err
	}
	return c.bind(jid)
}

// endOthers ends earlier sessions of the same installation (XEP-0386 §3.2), and waits until nothing more that they sent is read or handled: when
// the client then looks into its archive, what it does not find there will never come. A connection that is older than such a session's is
// refused: the client has given it up, and its last bytes were late.
func (c *connection) endOthers(jid xmpp.JID) error {
	for _, other := range c.door.sessionsOf(c, jid) {
		other.mu.Lock()
		reader, later := other.reader, other.serial > c.serial && (other.conn != nil || !other.begun)
		other.mu.Unlock()
		if later {
			return fatal("conflict", "a later connection of this client has a session")
		}
		other.End("conflict", "another session of this client began")
		if reader != nil { // not one that was about to take over: it may be waiting for its turn, too
			<-reader.read
		}
	}
	return nil
}
