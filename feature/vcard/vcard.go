// Package vcard tells who an account is: its vCard (XEP-0054), kept in step with the newer form that apps publish (XEP-0292), and its
// avatar, which is published once (XEP-0084) and shown to older apps as the vCard's photo and its hash in presence (XEP-0153), both ways
// (XEP-0398). Left out: photos that are links, the vCard of the server, and searching.
package vcard

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces, of which those of PEP are also the names of their nodes.
const (
	NS         = "vcard-temp"
	nsUpdate   = "vcard-temp:x:update"
	nsConvert  = "urn:xmpp:pep-vcard-conversion:0"
	nsData     = "urn:xmpp:avatar:data"
	nsMetadata = "urn:xmpp:avatar:metadata"
	nodeFour   = "urn:xmpp:vcard4"
	nsFour     = "urn:ietf:params:xml:ns:vcard-4.0"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// Access is who may read vCards: "open" is everybody, "presence" is who may see the account's presence.
	Access string `toml:"access"`
	// MaxBytes is the most bytes that a vCard may have, without its photo.
	MaxBytes int `toml:"max_bytes"`
	// MaxAvatarBytes is the most bytes that an avatar may have.
	MaxAvatarBytes int `toml:"max_avatar_bytes"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{Access: "open", MaxBytes: 64 << 10, MaxAvatarBytes: 128 << 10}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Access != "open" && c.Access != "presence":
		return errors.New(`vcard: access must be "open" or "presence"`)
	case c.MaxBytes < 1 || c.MaxAvatarBytes < 1:
		return errors.New("vcard: every limit must be at least 1")
	}
	return nil
}

// Contacts knows who may see an account's presence.
type Contacts interface {
	Subscribed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error)
}

// Rules are how this feature takes part in what accounts publish.
type Rules interface {
	OnPublish(node string, rule func(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error)
	OnKept(fn func(account *core.Account))
}

// Items are what an account has published, and who may read it.
type Items interface {
	Item(ctx context.Context, account *core.Account, node, id string) (*xmpp.Element, error)
	MayRead(ctx context.Context, account *core.Account, node string, who xmpp.JID) (bool, error)
	Access(ctx context.Context, account *core.Account, node string) (string, error)
}

// Writer publishes in the name of an account. What is written within Change is kept together.
type Writer interface {
	Change(ctx context.Context, account *core.Account, fn func(ctx context.Context) error) error
	Ensure(ctx context.Context, account *core.Account, node, access string) error
	Publish(ctx context.Context, account *core.Account, node, id string, payload *xmpp.Element) error
}

// Feature is the vCards and avatars of all accounts.
type Feature struct {
	cfg      Config
	db       *store.DB
	contacts Contacts
	items    Items
	writer   Writer
	log      *slog.Logger
	avatars  *avatars
}

// New makes the feature and its table. rules, items and writer are usually one and the same.
func New(ctx context.Context, cfg Config, db *store.DB, contacts Contacts, rules Rules, items Items, writer Writer, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "vcard", migrations); err != nil {
		return nil, err
	}
	remembered, err := newAvatars()
	if err != nil {
		return nil, fmt.Errorf("vcard: %w", err)
	}
	f := &Feature{cfg: cfg, db: db, contacts: contacts, items: items, writer: writer, log: log.With("part", "vcard"), avatars: remembered}
	rules.OnPublish(nsData, f.checkAvatar)
	rules.OnPublish(nodeFour, f.adoptFour)
	rules.OnKept(func(account *core.Account) { f.avatars.drop(account.ID) })
	return f, nil
}

// Attach hangs the feature on the journey of a stanza.
func (f *Feature) Attach(s *core.Server) {
	s.HandleIQ(core.AtAccount, NS, "vCard", f.handle)
	s.Announce(core.AtServer, NS)
	s.Announce(core.AtAccount, nsConvert)
	s.Change(core.Sent, f.stamp)
	s.OnRemove(f.remove)
	s.OnExport(f.export)
	s.OnImport(f.adopt)
}

func (f *Feature) handle(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if r.Set {
		if !r.Own() {
			return nil, xmpp.Forbidden
		}
		return nil, f.set(ctx, r.Account, r.Payload)
	}
	asker := r.Stanza.From
	if r.Own() {
		asker = r.Account.JID
	} else if f.cfg.Access == "presence" {
		seen, err := f.contacts.Subscribed(ctx, r.Account, asker)
		if err != nil {
			return nil, err
		}
		if !seen {
			return nil, xmpp.ServiceUnavailable // the same as for an account that is not there (XEP-0054 §3.3)
		}
	}
	return f.show(ctx, r.Account, asker)
}

// show gives the vCard with the avatar as its photo, if the asker may read that (XEP-0398 §6).
func (f *Feature) show(ctx context.Context, account *core.Account, asker xmpp.JID) (*xmpp.Element, error) {
	card, err := f.card(ctx, account)
	if err != nil {
		return nil, err
	}
	may, err := f.items.MayRead(ctx, account, nsData, asker)
	if err != nil {
		return nil, err
	}
	var photo *xmpp.Element
	if may {
		if photo, err = f.photo(ctx, account); err != nil {
			return nil, err
		}
	}
	if photo != nil {
		card = without(card, "PHOTO").Add(photo)
	}
	if card == nil {
		return nil, xmpp.ItemNotFound
	}
	return card, nil
}

// card reads the stored vCard; nil if there is none.
func (f *Feature) card(ctx context.Context, account *core.Account) (*xmpp.Element, error) {
	var content string
	err := f.db.QueryRow(ctx, "select content from vcard_card where account = $1", account.ID).Scan(&content)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read vcard: %w", err)
	}
	card, err := xmpp.Parse(content, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		return nil, fmt.Errorf("stored vcard: %w", err)
	}
	return card, nil
}

// without is a copy of a vCard that lacks the elements of this name; an empty one for nil.
func without(card *xmpp.Element, name string) *xmpp.Element {
	out := xmpp.NewElement(NS, "vCard")
	for e := range card.Children() {
		if e.Local != name {
			out.Add(e)
		}
	}
	return out
}

// set replaces the vCard. Its photo becomes the avatar, and no photo means no avatar (XEP-0398 §4.2).
func (f *Feature) set(ctx context.Context, account *core.Account, card *xmpp.Element) error {
	img, err := f.readPhoto(card.Child(NS, "PHOTO"))
	if err != nil {
		return err
	}
	if img != nil || isEmptyPhoto(card.Child(NS, "PHOTO")) {
		card = without(card, "PHOTO")
	}
	if len(card.Append(nil, "")) > f.cfg.MaxBytes {
		return xmpp.NotAcceptable.Because("a vCard has at most %d bytes without its photo", f.cfg.MaxBytes)
	}
	return f.writer.Change(ctx, account, func(ctx context.Context) error {
		if err := f.write(ctx, account, card); err != nil {
			return err
		}
		if err := f.publishAvatar(ctx, account, img); err != nil {
			return err
		}
		return f.publishFour(ctx, account, card)
	})
}

func (f *Feature) write(ctx context.Context, account *core.Account, card *xmpp.Element) error {
	_, err := f.db.Exec(ctx, `insert into vcard_card (account, content) values ($1, $2)
		on conflict (account) do update set content = excluded.content`, account.ID, string(card.Append(nil, "")))
	if err != nil {
		return fmt.Errorf("write vcard: %w", err)
	}
	return nil
}

func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	if _, err := f.db.Exec(ctx, "delete from vcard_card where account = $1", account.ID); err != nil {
		return fmt.Errorf("remove vcard: %w", err)
	}
	return nil
}

// export gives the vCard with its photo (XEP-0227 §4.4).
func (f *Feature) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	card, err := f.show(ctx, account, account.JID)
	if errors.Is(err, xmpp.ItemNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []*xmpp.Element{card}, nil
}

func (f *Feature) adopt(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	if !part.Is(NS, "vCard") {
		return nil
	}
	return f.set(ctx, account, part)
}
