package group

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Waker wakes the devices of members who have missed something said in a group.
type Waker interface {
	// Missed tells that accounts may have missed messages of a group, those of which a device is connected, too: only the devices that are not are woken.
	Missed(ctx context.Context, group xmpp.JID, who []Missed) error
}

// Missed is what one account may have missed in a group.
type Missed struct {
	Account  *core.Account
	Messages int
	Called   bool // one of them names the account (XEP-0372)
}

// wakePause is how long at least lies between two looks for whom to wake: what is said in a group meanwhile wakes once. Who looks through a group lets it rest
// for wakeRest for each of its members, so that a lively one costs the same in a second whatever its size.
const (
	wakePause = 250 * time.Millisecond
	wakeRest  = 5 * time.Millisecond
	wakeMost  = time.Hour // nobody rests so long
)

// wakes gathers what was said since somebody was last woken for it. It is not kept: after a crash, what a device finds in the log it was perhaps not woken for.
type wakes struct {
	mu     sync.Mutex // guards what follows
	rooms  map[*room]*unheard
	rest   map[*room]time.Time // until when nobody of a group is looked for
	signal chan struct{}       // has an element when there are any
}

// unheard is what was said in one group.
type unheard struct {
	messages int
	authors  map[xmpp.JID]int  // how many of them are theirs
	called   map[xmpp.JID]bool // whom they name
}

// nsQuiet marks a message for which its author wants nobody woken, and which is nothing unread, such as a vote (docs/protocol/polls-and-events.md).
const nsQuiet = "urn:palabre:quiet:0"

// said notes that a message was told, if it is one that a person wants to know of.
func (w *wakes) said(r *room, st *xmpp.Stanza, author xmpp.JID) {
	if st.Body() == "" && !hasPayload(st) || st.Child(nsQuiet, "quiet") != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.rooms[r]
	if one == nil {
		one = &unheard{authors: map[xmpp.JID]int{}, called: map[xmpp.JID]bool{}}
		if w.rooms == nil {
			w.rooms = map[*room]*unheard{}
		}
		w.rooms[r] = one
	}
	one.messages++
	one.authors[author]++
	for _, user := range named(st) {
		one.called[user] = true
	}
	w.ask()
}

// ask says that there are some; w.mu is held.
func (w *wakes) ask() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// take are those that were noted, of groups that do not rest.
func (w *wakes) take(now time.Time) map[*room]*unheard {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.rest, func(_ *room, until time.Time) bool { return !now.Before(until) })
	taken := map[*room]*unheard{}
	for r, what := range w.rooms {
		if _, rests := w.rest[r]; !rests {
			taken[r] = what
			delete(w.rooms, r)
		}
	}
	if len(w.rooms) > 0 {
		w.ask()
	}
	return taken
}

// looked lets a group rest when so many of its members were looked at.
func (w *wakes) looked(r *room, members int, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rest == nil {
		w.rest = map[*room]time.Time{}
	}
	w.rest[r] = now.Add(time.Duration(members) * wakeRest)
}

// hasPayload reports whether a message carries something encrypted to read (XEP-0384), not keys alone.
func hasPayload(st *xmpp.Stanza) bool {
	for _, space := range []string{"eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2"} {
		if st.Child(space, "encrypted").Child(space, "payload") != nil {
			return true
		}
	}
	return false
}

// maxNamed is how many whom a message names are woken for that.
const maxNamed = 50

// named are the bare addresses that a message names (XEP-0372 §3.2).
func named(st *xmpp.Stanza) (users []xmpp.JID) {
	for i := range st.Nodes {
		e := st.Nodes[i].Element
		if e == nil || !e.Is("urn:xmpp:reference:0", "reference") || e.Attr("type") != "mention" || len(users) == maxNamed {
			continue
		}
		const scheme = "xmpp:"
		if uri := e.Attr("uri"); len(uri) > len(scheme) && uri[:len(scheme)] == scheme {
			if jid, err := xmpp.ParseJID(uri[len(scheme):]); err == nil {
				users = append(users, jid.Bare())
			}
		}
	}
	return users
}

// Run wakes members, and does what follows in one group from a change of another, until ctx ends.
func (g *Groups) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() {
		for !core.Guard(g.log, "what follows from changes is done", func() { g.conclude(ctx) }) {
			select {
			case <-time.After(againAfter):
			case <-ctx.Done():
			}
		}
	})
	defer both.Wait()
	for g.others.Waker != nil {
		select {
		case <-g.wakes.signal:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			g.wakeAll(last, g.now().Add(wakeMost))
			return nil
		}
		core.Guard(g.log, "members are woken", func() { g.wakeAll(ctx, g.now()) })
		select {
		case <-time.After(wakePause):
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	return nil
}

// wakeAll wakes for all groups that do not rest at that time.
func (g *Groups) wakeAll(ctx context.Context, now time.Time) {
	for r, what := range g.wakes.take(now) {
		members := r.allMembers()
		if err := g.others.Waker.Missed(ctx, r.jid, g.missed(ctx, members, what)); err != nil {
			g.log.Error("members could not be woken", "err", err)
		}
		g.wakes.looked(r, len(members), now)
	}
}

// missed are the members who may have missed something that others said.
func (g *Groups) missed(ctx context.Context, members []xmpp.JID, what *unheard) []Missed {
	who := make([]Missed, 0, len(members))
	for _, user := range members {
		n := what.messages - what.authors[user]
		if n == 0 {
			continue
		}
		account, err := g.server.Account(ctx, user)
		if err != nil {
			if !errors.Is(err, core.ErrNoAccount) {
				g.log.Warn("a member cannot be woken", "err", err)
			}
			continue
		}
		who = append(who, Missed{Account: account, Messages: n, Called: what.called[user]})
	}
	return who
}

// allMembers are the addresses of those whom what is said is for.
func (r *room) allMembers() []xmpp.JID {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]xmpp.JID, 0, len(r.members))
	for user, s := range r.members {
		if s.affiliation >= member {
			all = append(all, user)
		}
	}
	return all
}
