package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// affiliation is how somebody stands with a channel (XEP-0060 §4.1); the numbers are stored.
type affiliation int64

const (
	outcast affiliation = iota - 1
	none
	member
	publisher
	owner
)

var affiliations = map[affiliation]string{outcast: "outcast", none: "none", member: "member", publisher: "publisher", owner: "owner"}

func (a affiliation) String() string { return affiliations[a] }

func parseAffiliation(text string) (affiliation, bool) {
	for a, name := range affiliations {
		if name == text {
			return a, true
		}
	}
	return none, false
}

// channel is one channel in memory. The database is the truth: what is here changes only when it was kept, in the order of the log.
type channel struct {
	id   int64
	name string

	// used is when it was last asked for, in nanoseconds since 1970.
	used atomic.Int64

	mu        sync.Mutex // guards what follows
	settings  Settings
	mark      string // why the operator vouches for it
	marked    int64
	gone      bool
	told      int64 // the newest entry that was told
	followers int
	people    map[xmpp.JID]affiliation // bare
	hearing   map[*core.Session]*hearer
}

// hearer is a session that gets what is published.
type hearer struct {
	session  *core.Session
	head     []byte   // the beginning of a message to it
	chained  bool     // it follows the chain of entries, and is told of those that are not for it
	segments []string // those that its account has chosen; none for all
}

// restAfter is how long a channel that nobody hears stays in memory at least: nothing that was decided about it is still to be written then.
const restAfter = 10 * time.Minute

// forgettable reports whether nobody hears, and nobody has asked for a while.
func (c *channel) forgettable(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.hearing) == 0 && now.Sub(time.Unix(0, c.used.Load())) > restAfter
}

// mayRead refuses who may neither read nor follow; c.mu is held.
func (c *channel) mayRead(who xmpp.JID) error {
	a := c.people[who.Bare()]
	switch {
	case c.gone:
		return xmpp.Gone
	case a == outcast:
		return xmpp.Forbidden
	case c.settings.Private && a < member:
		return fault.ClosedNode
	}
	return nil
}

// state is a channel as the database has it, within a transaction.
type state struct {
	settings Settings
	newest   int64
}

// read reads a channel within the transaction of ctx: xmpp.Gone if it is no more.
func (cs *Channels) read(ctx context.Context, c *channel) (s state, err error) {
	var text string
	err = cs.db.QueryRow(ctx, "select settings, coalesce((select max(id) from channel_entry where channel = $1), 0) from channel_node where id = $1 and deleted = 0", c.id).
		Scan(&text, &s.newest)
	if errors.Is(err, store.ErrNoRows) {
		return s, xmpp.Gone
	}
	if err != nil {
		return s, fmt.Errorf("read channel: %w", err)
	}
	s.settings, err = readSettings(text)
	return s, err
}

// stands is how somebody stands with a channel, within the transaction of ctx.
func (cs *Channels) stands(ctx context.Context, c *channel, who xmpp.JID) (a affiliation, err error) {
	err = cs.db.QueryRow(ctx, "select affiliation from channel_person where channel = $1 and jid = $2", c.id, who.Bare().String()).Scan(&a)
	if errors.Is(err, store.ErrNoRows) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("read affiliation: %w", err)
	}
	return a, nil
}

// join and split write and read a list of segments as it is stored.
func join(segments []string) string { return strings.Join(segments, ",") }

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// isFor reports whether what is for some segments is for who has chosen others: no segments mean all, on both sides.
func isFor(segments, chosen []string) bool {
	return len(segments) == 0 || len(chosen) == 0 || slices.ContainsFunc(segments, func(one string) bool { return slices.Contains(chosen, one) })
}
