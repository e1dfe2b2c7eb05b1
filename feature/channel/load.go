package channel

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// loaded are the channels in memory: all that somebody hears, and some more.
type loaded struct {
	channels *Channels
	limit    int

	mu  sync.Mutex // guards what follows
	all map[string]*loading
}

// loading is a channel that is in memory or about to be.
type loading struct {
	ready   chan struct{} // closed when channel and err are set
	channel *channel
	err     error
}

func (l *loaded) init(cs *Channels, limit int) {
	l.channels, l.limit, l.all = cs, limit, map[string]*loading{}
}

// get is the channel with this name, from memory or the database: xmpp.ItemNotFound if there is none.
func (l *loaded) get(ctx context.Context, name string) (*channel, error) {
	if !isName(name) {
		return nil, xmpp.ItemNotFound
	}
	l.mu.Lock()
	one := l.all[name]
	if one == nil {
		one = &loading{ready: make(chan struct{})}
		l.all[name] = one
		l.mu.Unlock()
		one.channel, one.err = l.channels.load(context.WithoutCancel(ctx), name)
		if one.err != nil {
			l.drop(name, one)
		} else {
			one.channel.used.Store(l.channels.now().UnixNano()) // before it can be forgotten
		}
		close(one.ready)
		l.shrink()
	} else {
		l.mu.Unlock()
	}
	select {
	case <-one.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if one.channel != nil {
		one.channel.used.Store(l.channels.now().UnixNano())
	}
	return one.channel, one.err
}

func (l *loaded) drop(name string, one *loading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[name] == one {
		delete(l.all, name)
	}
}

// forget takes a channel that is no more out of memory.
func (l *loaded) forget(name string, id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.all[name]
	if one == nil {
		return
	}
	select {
	case <-one.ready:
	default:
		return
	}
	if one.channel != nil && one.channel.id == id {
		delete(l.all, name)
	}
}

// maxLooks is how many channels are looked at, each time one was loaded, for some to forget: most may be heard.
const maxLooks = 64

// shrink forgets channels that nobody hears while there are too many.
func (l *loaded) shrink() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) <= l.limit {
		return
	}
	looks := 0
	for name, one := range l.all { // in no order: others each time
		if looks++; looks > maxLooks {
			return
		}
		select {
		case <-one.ready:
		default:
			continue
		}
		if one.channel != nil && one.channel.forgettable(l.channels.now()) {
			delete(l.all, name)
		}
		if len(l.all) <= l.limit*9/10 {
			return
		}
	}
}

// load reads a channel.
func (cs *Channels) load(ctx context.Context, name string) (*channel, error) {
	c := &channel{name: name, people: map[xmpp.JID]affiliation{}, hearing: map[*core.Session]*hearer{}}
	var settings string
	var deleted int64
	err := cs.db.QueryRow(ctx, `select id, settings, mark, marked, deleted, (select count(*) from channel_follower where channel = n.id),
		coalesce((select max(id) from channel_entry where channel = n.id), 0) from channel_node n where name = $1`, name).
		Scan(&c.id, &settings, &c.mark, &c.marked, &deleted, &c.followers, &c.told)
	if errors.Is(err, store.ErrNoRows) {
		return nil, xmpp.ItemNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("load channel: %w", err)
	}
	c.gone = deleted != 0
	if c.settings, err = readSettings(settings); err != nil {
		return nil, fmt.Errorf("load channel %s: %w", name, err)
	}
	rows, err := cs.db.Query(ctx, "select jid, affiliation from channel_person where channel = $1", c.id)
	if err != nil {
		return nil, fmt.Errorf("load channel %s: %w", name, err)
	}
	for rows.Next() {
		var text string
		var a affiliation
		if err := rows.Scan(&text, &a); err != nil {
			return nil, fmt.Errorf("load channel %s: %w", name, err)
		}
		jid, err := xmpp.ParseJID(text)
		if err != nil {
			return nil, fmt.Errorf("load channel %s: %w", name, err)
		}
		c.people[jid] = a
	}
	return c, nil
}
