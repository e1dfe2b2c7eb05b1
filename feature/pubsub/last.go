package pubsub

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	cachedAccounts = 5000 // accounts whose last items are in memory
	cachedPayload  = 1024 // bytes that a last item may have to be kept in memory
)

// shown are the nodes of an account whose last items are sent to whoever comes online.
type shown []shownNode

type shownNode struct {
	node
	last       item
	restricted bool // it has affiliations
	cut        bool // the payload is too long to be kept here
}

// lastItems remembers what the accounts show. What was read while something changed is not remembered.
type lastItems struct {
	mu    sync.Mutex  // guards what follows
	turns [256]uint64 // by account: grows with every change
	cache *lru.Cache[int64, shown]
}

func newLastItems() (*lastItems, error) {
	cache, err := lru.New[int64, shown](cachedAccounts)
	return &lastItems{cache: cache}, err
}

func (l *lastItems) get(account int64) (found shown, ok bool, turn uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok = l.cache.Get(account)
	return found, ok, l.turns[uint8(account)]
}

func (l *lastItems) put(account int64, s shown, turn uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns[uint8(account)] == turn {
		l.cache.Add(account, s)
	}
}

func (l *lastItems) drop(account int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turns[uint8(account)]++
	l.cache.Remove(account)
}

// shows reads what an account shows to whoever comes online.
func (f *Feature) shows(ctx context.Context, account *core.Account) (shown, error) {
	found, ok, turn := f.last.get(account.ID)
	if ok {
		return found, nil
	}
	rows, err := f.db.Query(ctx, `select n.id, n.name, n.settings, i.name, i.id, i.publisher, i.size > $2,
		case when i.size > $2 then '' else i.payload end, exists (select 1 from pubsub_affiliation a where a.node = n.id)
		from pubsub_node n join pubsub_item i on i.node = n.id
		where n.account = $1 and i.id = (select max(id) from pubsub_item where node = n.id)`, account.ID, int64(cachedPayload))
	if err != nil {
		return nil, fmt.Errorf("read last items: %w", err)
	}
	for rows.Next() {
		var s shownNode
		var settings string
		if err := rows.Scan(&s.id, &s.name, &settings, &s.last.name, &s.last.id, &s.last.publisher, &s.cut, &s.last.payload, &s.restricted); err != nil {
			return nil, fmt.Errorf("read last items: %w", err)
		}
		if s.settings, err = f.settingsOf(s.name, settings); err != nil {
			return nil, err
		}
		if s.settings.SendLast == onSubAndPresence && s.settings.Notify {
			found = append(found, s)
		}
	}
	f.last.put(account.ID, found, turn)
	return found, nil
}

// recipient is an app that last items are sent to: a local session, or an address elsewhere.
type recipient struct {
	jid     xmpp.JID
	session *core.Session // nil elsewhere
}

// Interested sends a session the last items of these nodes: its own account's, and those of the contacts that the account may see
// (XEP-0163 §4.3.4). Call it when the session has come online with an app that wants events of them, or when the app wants more.
func (f *Feature) Interested(ctx context.Context, session *core.Session, nodes []string) {
	if len(nodes) == 0 {
		return
	}
	to := recipient{session.JID, session}
	f.show(ctx, session.Account, to, nodes)
	contacts, err := f.contacts.Subscriptions(ctx, session.Account)
	if err != nil {
		f.log.Error("could not send last items", "session", session, "err", err)
	}
	for _, contact := range contacts {
		account, err := f.server.Account(ctx, contact)
		if err != nil { // lives elsewhere, or no longer: its own server tells
			continue
		}
		f.show(ctx, account, to, nodes)
	}
}

// InterestedElsewhere sends an app on another server, which has shown the account its presence, the account's last items of these nodes.
func (f *Feature) InterestedElsewhere(ctx context.Context, account *core.Account, app xmpp.JID, nodes []string) {
	f.show(ctx, account, recipient{jid: app}, nodes)
}

// showToContact sends the last items of an account to the apps of a contact that want them.
func (f *Feature) showToContact(ctx context.Context, account *core.Account, contact xmpp.JID) {
	found, err := f.shows(ctx, account)
	if err != nil {
		f.log.Error("could not send last items", "account", account.JID, "err", err)
	}
	for i := range found {
		nodes := []string{found[i].name}
		for _, session := range f.server.Sessions(contact) {
			if f.wants(session, found[i].name) {
				f.show(ctx, account, recipient{session.JID, session}, nodes)
			}
		}
		for _, app := range f.interest.Elsewhere(account, found[i].name) {
			if app.Bare() == contact {
				f.show(ctx, account, recipient{jid: app}, nodes)
			}
		}
	}
}

// show sends last items in their turn among the account's events.
func (f *Feature) show(ctx context.Context, account *core.Account, to recipient, nodes []string) {
	if f.events.full(account.ID) {
		f.counts.dropped.Inc()
		return
	}
	f.events.put(account.ID, func(ctx context.Context) {
		if err := f.showTo(ctx, account, to, nodes); err != nil {
			f.log.Error("could not send last items", "account", account.JID, "err", err)
		}
	})
	f.tellAll(ctx, account)
}

// showTo sends those last items of an account that are of these nodes and that the app may see.
func (f *Feature) showTo(ctx context.Context, account *core.Account, to recipient, nodes []string) error {
	found, err := f.shows(ctx, account)
	if err != nil {
		return err
	}
	own, subscribed := to.jid.Bare() == account.JID, false
	for i := range found {
		s := &found[i]
		if !slices.Contains(nodes, s.name) || s.last.id <= s.oldest() {
			continue
		}
		if !own && !subscribed {
			if subscribed, err = f.contacts.Subscribed(ctx, account, to.jid.Bare()); err != nil || !subscribed {
				return err
			}
		}
		if !own && s.closed() && f.mayRead(ctx, account, &s.node, to.jid) != nil {
			continue
		}
		if err := f.showOne(ctx, account, to, s); err != nil {
			return err
		}
	}
	return nil
}

// closed reports whether not all who see the account's presence may read the node.
func (s *shownNode) closed() bool {
	return s.restricted || s.settings.Access == Whitelist || s.settings.Access == Roster
}

func (f *Feature) showOne(ctx context.Context, account *core.Account, to recipient, s *shownNode) error {
	last := &s.last
	if s.cut {
		var err error
		if last, err = f.item(ctx, &s.node, last.name); last == nil || err != nil {
			return err
		}
	}
	st, err := f.lastStanza(account, &s.node, last)
	if err != nil {
		return err
	}
	if to.session == nil {
		f.route(ctx, account, to.jid, st)
	} else {
		f.send(ctx, account, to.session, st)
	}
	return nil
}

// lastStanza is the event that repeats the last item.
func (f *Feature) lastStanza(account *core.Account, n *node, last *item) (*xmpp.Stanza, error) {
	e, err := last.element(nsEvent, n.settings.DeliverPayloads)
	if err != nil {
		return nil, err
	}
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: n.settings.NotificationType, ID: strconv.FormatInt(f.db.Next(), 36), From: account.JID}
	items := xmpp.NewElement(nsEvent, "items", e).Set("node", n.name)
	return st.Add(xmpp.NewElement(nsEvent, "event", items), xmpp.Delay(account.JID, last.time())), nil
}

// sendLast sends the last item of a node to a new subscriber (XEP-0060 §6.1.7).
func (f *Feature) sendLast(ctx context.Context, account *core.Account, n *node, to xmpp.JID) error {
	last, err := f.item(ctx, n, "")
	if last == nil || err != nil {
		return err
	}
	st, err := f.lastStanza(account, n, last)
	if err != nil {
		return err
	}
	f.route(ctx, account, to, st)
	return nil
}
