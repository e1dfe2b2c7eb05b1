package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

const current = "current" // the id of a list's only item

// Devices are the ids of the devices of an account, as it publishes them; none if it publishes nothing.
func (e *Endpoint) Devices(ctx context.Context, jid xmpp.JID, v omemo.Version) ([]uint32, error) {
	key := listKey{v, jid.Bare().String()}
	e.mu.Lock()
	list, ok := e.known[key]
	e.mu.Unlock()
	if ok && (list.until.IsZero() || time.Now().Before(list.until)) {
		return list.ids, nil
	}
	items, err := e.c.Items(ctx, e.node(jid), lists[v])
	switch {
	case isAbsent(err):
	case err != nil:
		return nil, fmt.Errorf("devices of %s: %w", jid, err)
	}
	var ids []uint32
	if len(items) > 0 {
		ids = readList(items[len(items)-1].Payload, v)
	}
	return e.learned(key, ids), nil
}

// learned takes a list that was asked for, unless it was told meanwhile: then the answer may be the older one.
func (e *Endpoint) learned(key listKey, ids []uint32) []uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if told, ok := e.known[key]; ok && told.until.IsZero() {
		return told.ids
	}
	e.keep(key, deviceList{ids, time.Now().Add(listAge)})
	return ids
}

// node is where an account's nodes are asked for: no address for our own.
func (e *Endpoint) node(jid xmpp.JID) xmpp.JID {
	if jid.Bare() == e.c.Account() {
		return xmpp.JID{}
	}
	return jid.Bare()
}

// isAbsent tells that somebody publishes nothing, or nothing for us.
func isAbsent(err error) bool {
	for _, refusal := range []*xmpp.Error{xmpp.ItemNotFound, xmpp.ServiceUnavailable, xmpp.FeatureNotImplemented, xmpp.Forbidden, xmpp.NotAuthorized} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

func (e *Endpoint) remember(key listKey, list deviceList) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keep(key, list)
}

// keep remembers a list; mu is held.
func (e *Endpoint) keep(key listKey, list deviceList) {
	if len(e.known) >= maxLists {
		clear(e.known)
	}
	e.known[key] = list
}

// Notice takes a message that tells of a changed device list, and reports whether it was one. If our own device is missing from its
// account's list, it is put back (XEP-0384 §5.3).
func (e *Endpoint) Notice(ctx context.Context, st *xmpp.Stanza) bool {
	event := client.EventOf(st)
	if event == nil {
		return false
	}
	for _, v := range versions {
		if event.Node != lists[v] {
			continue
		}
		var list deviceList
		if n := len(event.Items); n > 0 {
			list.ids = readList(event.Items[n-1].Payload, v)
		}
		from := event.From.Bare()
		e.remember(listKey{v, from.String()}, list)
		if from == e.c.Account() && !slices.Contains(list.ids, e.dev.ID()) {
			if err := e.enlist(ctx, v); err != nil {
				e.log.Warn("own device could not be put back on its list", "err", err)
			}
		}
		return true
	}
	return false
}

// listed reports whether our device is on its account's list.
func (e *Endpoint) listed(ctx context.Context, v omemo.Version) (bool, error) {
	e.mu.Lock()
	delete(e.known, listKey{v, e.c.Account().String()})
	e.mu.Unlock()
	ids, err := e.Devices(ctx, e.c.Account(), v)
	return slices.Contains(ids, e.dev.ID()), err
}

// enlist puts our device on its account's list.
func (e *Endpoint) enlist(ctx context.Context, v omemo.Version) error {
	ids, err := e.Devices(ctx, e.c.Account(), v)
	if err != nil || slices.Contains(ids, e.dev.ID()) {
		return err
	}
	ids = append(slices.Clone(ids), e.dev.ID())
	err = e.c.Publish(ctx, client.Publication{Node: lists[v], Item: client.Item{ID: current, Payload: listElement(v, ids)}, Access: "open", Persist: true})
	if err != nil {
		return fmt.Errorf("publish the list of devices: %w", err)
	}
	e.remember(listKey{v, e.c.Account().String()}, deviceList{ids, time.Now().Add(listAge)})
	return nil
}

func publishedName(v omemo.Version) string { return "e2e/published/" + decimal(uint32(v)) }

// publishBundle publishes the keys of a version, unless the server has them already.
func (e *Endpoint) publishBundle(ctx context.Context, v omemo.Version, always bool) error {
	b, err := e.dev.Bundle(ctx, v)
	if err != nil {
		return err
	}
	payload := bundleElement(b)
	sum := sha256.Sum256([]byte(payload.String()))
	name := publishedName(v)
	saved, err := e.store.Load(ctx, []string{name})
	if err != nil {
		return fmt.Errorf("look what is published: %w", err)
	}
	if !always && bytes.Equal(saved[name], sum[:]) {
		return nil
	}
	if err := e.c.Publish(ctx, bundlePublication(v, e.dev.ID(), payload)); err != nil {
		return err
	}
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	return e.store.Save(ctx, map[string][]byte{name: sum[:]})
}

func bundlePublication(v omemo.Version, id uint32, payload *xmpp.Element) client.Publication {
	p := client.Publication{Node: bundleNode(v, id), Item: client.Item{ID: bundleItem(v, id), Payload: payload}, Access: "open", Persist: true}
	if v == omemo.V2 {
		p.MaxItems = "max"
	}
	return p
}

// bundleNode is one node per device in 0.3, one node for all in 2.
func bundleNode(v omemo.Version, id uint32) string {
	if v == omemo.V2 {
		return "urn:xmpp:omemo:2:bundles"
	}
	return "eu.siacs.conversations.axolotl.bundles:" + decimal(id)
}

func bundleItem(v omemo.Version, id uint32) string {
	if v == omemo.V2 {
		return decimal(id)
	}
	return current
}

// meet begins a session with a device from what it has published.
func (e *Endpoint) meet(ctx context.Context, to deviceKey) error {
	jid, err := xmpp.ParseJID(to.address.JID)
	if err != nil {
		return err
	}
	var ids []string
	if to.version == omemo.V2 {
		ids = []string{bundleItem(to.version, to.address.Device)}
	}
	items, err := e.c.Items(ctx, e.node(jid), bundleNode(to.version, to.address.Device), ids...)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", to.address, err)
	}
	if len(items) == 0 {
		return fmt.Errorf("keys of %s: %w", to.address, xmpp.ItemNotFound)
	}
	b, err := readBundle(items[len(items)-1].Payload, to.version)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", to.address, err)
	}
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	return e.dev.Begin(ctx, to.address, b)
}
