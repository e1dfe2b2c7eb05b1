package demo

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha1" //nolint:gosec // XEP-0084 §4.2 names pictures by it.
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

const (
	nsNick       = "http://jabber.org/protocol/nick"
	nsAvatar     = "urn:xmpp:avatar:metadata"
	nsAvatarData = "urn:xmpp:avatar:data"
	nsOOB        = "jabber:x:oob"
)

// session is somebody who is logged in.
type session struct {
	*client.Client
	said map[string]map[string]bool // ids of messages that are in the archive, by conversation
	came chan *xmpp.Stanza          // presence of rooms
	// key is a payment key, nil until something is paid, and point its public half.
	key   *ecdsa.PrivateKey
	point []byte
}

func open(ctx context.Context, cfg client.Config) (*session, error) {
	s := &session{said: map[string]map[string]bool{}, came: make(chan *xmpp.Stanza, 100)}
	cfg.Software, cfg.Device = "palabre demo", "demo"
	cfg.OnPresence = func(_ context.Context, presence *xmpp.Stanza) {
		select {
		case s.came <- presence:
		default:
		}
	}
	var err error
	if s.Client, err = client.New(cfg); err != nil {
		return nil, err
	}
	if err := s.Connect(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("log in: %w", err)
	}
	return s, nil
}

// introduce publishes name and picture (XEP-0172, XEP-0084).
func (s *session) introduce(ctx context.Context, p Person) error {
	picture := portrait(p)
	sum := sha1.Sum(picture)
	id := hex.EncodeToString(sum[:])
	info := xmpp.NewElement(nsAvatar, "info").Set("id", id).Set("type", "image/png").Set("bytes", strconv.Itoa(len(picture))).
		Set("width", strconv.Itoa(portraitSize)).Set("height", strconv.Itoa(portraitSize))
	for _, one := range []client.Publication{
		{Node: nsNick, Item: client.Item{ID: "current", Payload: xmpp.NewText(nsNick, "nick", p.Title)}},
		{Node: nsAvatarData, Item: client.Item{ID: id, Payload: xmpp.NewText(nsAvatarData, "data", base64.StdEncoding.EncodeToString(picture))}},
		{Node: nsAvatar, Item: client.Item{ID: id, Payload: xmpp.NewElement(nsAvatar, "metadata", info)}},
	} {
		one.Access, one.Persist = "open", true
		if err := s.Publish(ctx, one); err != nil {
			return fmt.Errorf("publish %s: %w", one.Node, err)
		}
	}
	return nil
}

// know makes a contact of somebody, who may see when we are there.
func (s *session) know(ctx context.Context, who xmpp.JID, name string) error {
	if err := s.SetContact(ctx, client.Contact{JID: who, Name: name}); err != nil {
		return fmt.Errorf("make a contact of %s: %w", who, err)
	}
	return s.Approve(ctx, who)
}

// has reports whether a message is in an archive: our own with somebody, or that of a group.
func (s *session) has(ctx context.Context, query client.ArchiveQuery, id string) (bool, error) {
	key := query.Archive.String() + " " + query.With.String()
	if s.said[key] == nil {
		ids := map[string]bool{}
		for query.Max = client.MaxPage; ; {
			page, err := s.Archive(ctx, query)
			if err != nil {
				return false, fmt.Errorf("read what was said: %w", err)
			}
			for _, entry := range page.Entries {
				ids[entry.Message.ID] = true
			}
			if page.Complete || len(page.Entries) == 0 || len(ids) > 10_000 {
				break
			}
			query.After = page.Last
		}
		s.said[key] = ids
	}
	return s.said[key][id], nil
}

// say writes to somebody, or to a group, unless it was said.
func (s *session) say(ctx context.Context, to xmpp.JID, group bool, id, text string, more ...*xmpp.Element) error {
	query, kind := client.ArchiveQuery{With: to}, "chat"
	if group {
		query, kind = client.ArchiveQuery{Archive: to}, "groupchat"
	}
	there, err := s.has(ctx, query, id)
	if err != nil || there {
		return err
	}
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: kind, To: to, ID: id}
	st.Add(xmpp.NewText(xmpp.NSClient, "body", text)).Add(more...)
	if err := s.SendAcked(ctx, st); err != nil {
		return fmt.Errorf("write to %s: %w", to, err)
	}
	return nil
}

// show sends a picture, unless it was sent.
func (s *session) show(ctx context.Context, to xmpp.JID, id, name string, picture []byte) error {
	there, err := s.has(ctx, client.ArchiveQuery{With: to}, id)
	if err != nil || there {
		return err
	}
	address, err := s.Upload(ctx, name, "image/png", int64(len(picture)), bytes.NewReader(picture))
	if err != nil {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	return s.say(ctx, to, false, id, address, xmpp.NewElement(nsOOB, "x", xmpp.NewText(nsOOB, "url", address)))
}
