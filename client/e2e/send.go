package e2e

import (
	"context"
	"fmt"
	"slices"
	"time"

	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

const (
	nsSCE = "urn:xmpp:sce:1" // XEP-0420
	nsEME = "urn:xmpp:eme:0" // XEP-0380

	// fallback is what apps without encryption show.
	fallback = "I sent you an OMEMO encrypted message but your client doesn’t seem to support that."
)

// Encrypt makes a chat message to a contact, readable by all its devices and our own others, and not yet sent. It says which devices it
// left out and why. It returns ErrNoDevices if the contact has none that can be written to.
func (e *Endpoint) Encrypt(ctx context.Context, to xmpp.JID, body string) (*xmpp.Stanza, []omemo.Skipped, error) {
	return e.EncryptFor(ctx, &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: to}, body, to.Bare())
}

// EncryptFor adds an encrypted body to a message, for the devices of these accounts and our own others: in a room, its members. Other
// children of the message stay as they are, in clear.
func (e *Endpoint) EncryptFor(ctx context.Context, st *xmpp.Stanza, body string, accounts ...xmpp.JID) (*xmpp.Stanza, []omemo.Skipped, error) {
	v, addresses, err := e.recipients(ctx, accounts)
	if err != nil {
		return nil, nil, err
	}
	if err := e.meetAll(ctx, v, addresses); err != nil {
		return nil, nil, err
	}
	plaintext := []byte(body)
	if v == omemo.V2 {
		if plaintext, err = e.envelope(body, st); err != nil {
			return nil, nil, err
		}
	}
	m, skipped, err := e.encrypt(ctx, v, plaintext, addresses)
	if err != nil {
		return nil, skipped, err
	}
	if !e.reaches(m, accounts) {
		return nil, skipped, fmt.Errorf("encrypt for %s: %w", st.To, ErrNoDevices)
	}
	st = st.Copy()
	st.Remove(func(child *xmpp.Element) bool { return child.Is(xmpp.NSClient, "body") })
	return st.Add(elementOf(m), xmpp.NewElement(nsEME, "encryption").Set("namespace", v.Namespace()).Set("name", "OMEMO"),
		xmpp.NewElement(xmpp.NSHints, "store"), xmpp.NewText(xmpp.NSClient, "body", fallback)), skipped, nil
}

func (e *Endpoint) encrypt(ctx context.Context, v omemo.Version, plaintext []byte, to []omemo.Address) (*omemo.Message, []omemo.Skipped, error) {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	return e.dev.Encrypt(ctx, v, plaintext, to)
}

// reaches reports whether somebody other than ourselves can read a message; a note to oneself needs no other.
func (e *Endpoint) reaches(m *omemo.Message, accounts []xmpp.JID) bool {
	if m == nil {
		return false
	}
	return slices.ContainsFunc(m.Keys, func(k omemo.Key) bool {
		return slices.ContainsFunc(accounts, func(jid xmpp.JID) bool { return jid.Bare().String() == k.JID })
	})
}

// recipients chooses the version and lists the devices: OMEMO 2 if every device of all of them has it, else 0.3.
func (e *Endpoint) recipients(ctx context.Context, accounts []xmpp.JID) (omemo.Version, []omemo.Address, error) {
	all := append(slices.Clone(accounts), e.c.Account())
	both := true
	var found [2][]omemo.Address
	for _, jid := range all {
		jid = jid.Bare()
		var ids [2][]uint32
		for i, v := range versions {
			var err error
			if ids[i], err = e.Devices(ctx, jid, v); err != nil {
				return 0, nil, err
			}
			for _, id := range ids[i] {
				found[i] = append(found[i], omemo.Address{JID: jid.String(), Device: id})
			}
		}
		only03 := slices.ContainsFunc(ids[0], func(id uint32) bool { return !slices.Contains(ids[1], id) })
		both = both && !only03 && len(ids[1]) > 0
	}
	if both {
		return omemo.V2, found[1], nil
	}
	return omemo.V03, found[0], nil
}

// meetAll begins sessions with those devices that have none. A device that cannot be met is left to Encrypt to skip.
func (e *Endpoint) meetAll(ctx context.Context, v omemo.Version, addresses []omemo.Address) error {
	missing, err := e.dev.Missing(ctx, v, addresses)
	if err != nil {
		return err
	}
	for _, address := range missing {
		if err := e.meet(ctx, deviceKey{v, address}); err != nil {
			if ctx.Err() != nil {
				return err
			}
			e.log.Info("no session with a device", "err", err)
		}
	}
	return nil
}

// envelope is what OMEMO 2 encrypts (XEP-0420 §4).
func (e *Endpoint) envelope(body string, st *xmpp.Stanza) ([]byte, error) {
	content := xmpp.NewElement(nsSCE, "content", xmpp.NewText(xmpp.NSClient, "body", body))
	out := xmpp.NewElement(nsSCE, "envelope", content,
		xmpp.NewElement(nsSCE, "from").Set("jid", e.c.Account().String()),
		xmpp.NewElement(nsSCE, "time").Set("stamp", xmpp.FormatTime(time.Now())))
	if st.Type == "groupchat" {
		out.Add(xmpp.NewElement(nsSCE, "to").Set("jid", st.To.Bare().String()))
	}
	padding, err := omemo.Padding(len(out.String()))
	if err != nil {
		return nil, err
	}
	return out.Add(xmpp.NewText(nsSCE, "rpad", padding)).Append(nil, ""), nil
}
