package e2e

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// MaxKeys bounds the keys read of one message, and the devices read of one list.
const MaxKeys = omemo.MaxDevices

// elementOf is the <encrypted/> of a message (XEP-0384 v0.3.0 §4.5, v0.9.1 §5.5).
func elementOf(m *omemo.Message) *xmpp.Element {
	ns := m.Version.Namespace()
	header := xmpp.NewElement(ns, "header").Set("sid", decimal(m.SID))
	if m.Version == omemo.V2 {
		byJID(header, m.Keys)
	} else {
		for _, k := range m.Keys {
			header.Add(keyElement(ns, k, "prekey"))
		}
		header.Add(xmpp.NewText(ns, "iv", encode(m.IV)))
	}
	out := xmpp.NewElement(ns, "encrypted", header)
	if m.Payload != nil {
		out.Add(xmpp.NewText(ns, "payload", encode(m.Payload)))
	}
	return out
}

// byJID groups keys by recipient, in the order of their first.
func byJID(header *xmpp.Element, keys []omemo.Key) {
	ns := omemo.V2.Namespace()
	groups := map[string]*xmpp.Element{}
	for _, k := range keys {
		group := groups[k.JID]
		if group == nil {
			group = xmpp.NewElement(ns, "keys").Set("jid", k.JID)
			groups[k.JID] = group
			header.Add(group)
		}
		group.Add(keyElement(ns, k, "kex"))
	}
}

func keyElement(ns string, k omemo.Key, exchange string) *xmpp.Element {
	e := xmpp.NewText(ns, "key", encode(k.Data)).Set("rid", decimal(k.RID))
	if k.Exchange {
		e.Set(exchange, "true")
	}
	return e
}

// messageOf finds and reads the <encrypted/> of a message. Of several it takes the newest version that has a key for our device: a sender
// encrypts in each for those devices alone that need it. It returns ErrClear if there is none and omemo.ErrMalformed if the first cannot be
// read.
func messageOf(st *xmpp.Stanza, jid string, device uint32) (*omemo.Message, error) {
	first, err := (*omemo.Message)(nil), ErrClear
	for _, v := range slices.Backward(versions[:]) {
		e := st.Child(v.Namespace(), "encrypted")
		if e == nil {
			continue
		}
		m, fault := readMessage(e, v)
		if fault != nil {
			fault = fmt.Errorf("read an encrypted message: %w", fault)
		} else if isFor(m, jid, device) {
			return m, nil
		}
		if first == nil && errors.Is(err, ErrClear) {
			first, err = m, fault
		}
	}
	return first, err
}

// isFor reports whether a message may have a key for a device. OMEMO 0.3 does not say whose devices it means.
func isFor(m *omemo.Message, jid string, device uint32) bool {
	return slices.ContainsFunc(m.Keys, func(k omemo.Key) bool { return k.RID == device && (m.Version == omemo.V03 || k.JID == jid) })
}

func readMessage(e *xmpp.Element, v omemo.Version) (m *omemo.Message, err error) {
	ns := v.Namespace()
	header := e.Child(ns, "header")
	m = &omemo.Message{Version: v}
	if m.SID, err = number(header.Attr("sid")); err != nil {
		return nil, fmt.Errorf("sid: %w", err)
	}
	if payload := e.Child(ns, "payload"); payload != nil {
		if m.Payload, err = decode(payload.Text()); err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
	}
	if v == omemo.V03 {
		if m.IV, err = decode(header.ChildText(ns, "iv")); err != nil {
			return nil, fmt.Errorf("iv: %w", err)
		}
		return m, readKeys(m, header, "", "prekey")
	}
	for group := range header.Children() {
		if !group.Is(ns, "keys") {
			continue
		}
		jid, err := xmpp.ParseJID(group.Attr("jid"))
		if err != nil {
			continue // not ours, which can be read
		}
		if err := readKeys(m, group, jid.Bare().String(), "kex"); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readKeys takes the keys within parent. One that cannot be read is passed over: it is probably not for us.
func readKeys(m *omemo.Message, parent *xmpp.Element, jid, exchange string) error {
	for e := range parent.Children() {
		if !e.Is(m.Version.Namespace(), "key") {
			continue
		}
		if len(m.Keys) == MaxKeys {
			return fmt.Errorf("more than %d keys: %w", MaxKeys, omemo.ErrTooLarge)
		}
		rid, err := number(e.Attr("rid"))
		if err != nil {
			continue
		}
		data, err := decode(e.Text())
		if err != nil {
			continue
		}
		yes, _ := xmpp.Bool(e.Attr(exchange))
		m.Keys = append(m.Keys, omemo.Key{JID: jid, RID: rid, Exchange: yes, Data: data})
	}
	return nil
}

// bundleElement is what a device publishes (XEP-0384 v0.3.0 §4.3, v0.9.1 §5.3.2).
func bundleElement(b *omemo.Bundle) *xmpp.Element {
	ns := b.Version.Namespace()
	names := bundleNames[b.Version]
	prekeys := xmpp.NewElement(ns, "prekeys")
	for _, k := range b.PreKeys {
		prekeys.Add(xmpp.NewText(ns, names.preKey, encode(k.Key)).Set(names.preKeyID, decimal(k.ID)))
	}
	return xmpp.NewElement(ns, "bundle",
		xmpp.NewText(ns, names.signed, encode(b.SignedPreKey.Key)).Set(names.signedID, decimal(b.SignedPreKey.ID)),
		xmpp.NewText(ns, names.signature, encode(b.Signature)),
		xmpp.NewText(ns, names.identity, encode(b.Identity)), prekeys)
}

var bundleNames = map[omemo.Version]struct{ signed, signedID, signature, identity, preKey, preKeyID string }{
	omemo.V03: {"signedPreKeyPublic", "signedPreKeyId", "signedPreKeySignature", "identityKey", "preKeyPublic", "preKeyId"},
	omemo.V2:  {"spk", "id", "spks", "ik", "pk", "id"},
}

// readBundle is the reverse; omemo checks what is in it.
func readBundle(e *xmpp.Element, v omemo.Version) (*omemo.Bundle, error) {
	ns, names := v.Namespace(), bundleNames[v]
	if !e.Is(ns, "bundle") {
		return nil, fmt.Errorf("bundle: %w", omemo.ErrMalformed)
	}
	b := &omemo.Bundle{Version: v}
	signed := e.Child(ns, names.signed)
	var errs [4]error
	b.SignedPreKey.ID, errs[0] = number(signed.Attr(names.signedID))
	b.SignedPreKey.Key, errs[1] = decode(signed.Text())
	b.Signature, errs[2] = decode(e.ChildText(ns, names.signature))
	b.Identity, errs[3] = decode(e.ChildText(ns, names.identity))
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
	}
	for k := range e.Child(ns, "prekeys").Children() {
		if !k.Is(ns, names.preKey) || len(b.PreKeys) == MaxKeys {
			continue
		}
		id, err := number(k.Attr(names.preKeyID))
		if err != nil {
			continue
		}
		data, err := decode(k.Text())
		if err != nil {
			continue
		}
		b.PreKeys = append(b.PreKeys, omemo.PreKey{ID: id, Key: data})
	}
	return b, nil
}

// Names of device lists: nodes, and the element in them.
var (
	lists     = map[omemo.Version]string{omemo.V03: "eu.siacs.conversations.axolotl.devicelist", omemo.V2: "urn:xmpp:omemo:2:devices"}
	listNames = map[omemo.Version]string{omemo.V03: "list", omemo.V2: "devices"}
)

func listElement(v omemo.Version, ids []uint32) *xmpp.Element {
	out := xmpp.NewElement(v.Namespace(), listNames[v])
	for _, id := range ids {
		out.Add(xmpp.NewElement(v.Namespace(), "device").Set("id", decimal(id)))
	}
	return out
}

// readList takes the device ids out of a list, each once; what is no id is passed over.
func readList(e *xmpp.Element, v omemo.Version) []uint32 {
	var ids []uint32
	if !e.Is(v.Namespace(), listNames[v]) {
		return nil
	}
	for device := range e.Children() {
		id, err := number(device.Attr("id"))
		if err == nil && id > 0 && device.Is(v.Namespace(), "device") && len(ids) < MaxKeys && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// number reads an id: at most 2^31-1, as apps do.
func number(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("number %.20q: %w", text, omemo.ErrMalformed)
	}
	return uint32(n), nil
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// decode reads base64, in which XML may have put white space. Nothing gives an empty slice.
func decode(text string) ([]byte, error) {
	compact := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; c {
		case ' ', '\n', '\t', '\r':
		default:
			compact = append(compact, c)
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(compact)))
	n, err := base64.StdEncoding.Decode(out, compact)
	if err != nil {
		return nil, fmt.Errorf("base64: %w", omemo.ErrMalformed)
	}
	return out[:n], nil
}
