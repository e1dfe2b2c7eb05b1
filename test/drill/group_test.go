package drill

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

var groupKills = flag.Int("group-kills", 2, "how often the server is killed on SQLite while groups are lively; on PostgreSQL half as often")

const (
	groups       = 20
	groupMembers = 50 // of each group
	groupSenders = 4  // who write to all groups
	groupDomain  = "groups.localhost"
)

// TestKillGroups kills the server while members of many groups write to them at full speed, and their owner changes what they are about. In the end the log of
// each group has every acknowledged message and change once and in the order of its sender, it is a chain without gaps, and all devices of all members have that
// log and nothing else.
func TestKillGroups(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killGroups(t, "", *groupKills) })
	t.Run("postgres", func(t *testing.T) { killGroups(t, database(t), (*groupKills+1)/2) })
}

func killGroups(t *testing.T, database string, times int) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(times))
	defer cancel()
	c := &crowd{t: t, server: newServer(t, database), refused: map[string]bool{}}
	c.feed = c.groupFeed()
	c.server.add("--admin", "m0")
	c.server.start()
	c.gather(ctx)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	for i := range groupSenders {
		c.work.Go(func() { c.send(sending, ctx, i) })
	}
	c.work.Go(func() { c.describe(sending, ctx) })
	for i := range times {
		if err := c.progress(ctx, 1+rand.Int64N(1500)); err != nil {
			t.Fatalf("before failure %d: %v; %d acknowledged", i, err, c.acked.value())
		}
		c.server.kill()
		c.server.start()
	}
	if err := c.progress(ctx, 500); err != nil {
		t.Fatalf("after the last failure: %v; %d acknowledged", err, c.acked.value())
	}
	stop()
	c.work.Wait()
	c.compare(ctx)
	c.server.stop()
	t.Logf("%d failures; %d messages and %d changes acknowledged to their senders, each once in its group's log, and in the same order on %d devices", times, c.acked.value(),
		c.changes, len(c.devices)+1)
}

// crowd are the members of all groups.
type crowd struct {
	t       *testing.T
	server  *palabre
	feed    *feed
	rooms   []xmpp.JID
	acked   counter
	work    sync.WaitGroup
	devices []*follower // that of member n is the n-th
	old     *occupant
	sent    [groupSenders]int // how many messages each sender has sent to each group
	changed [groups][]int     // the descriptions of each group that were acknowledged
	changes int               // how many those are

	mu      sync.Mutex      // guards refused
	refused map[string]bool // ids of messages that their senders were told are not kept
}

func (c *crowd) progress(ctx context.Context, more int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.acked.reach(ctx, c.acked.value()+more)
}

// gather makes the accounts, who know the first of them, the groups, and the devices.
func (c *crowd) gather(ctx context.Context) {
	owner := c.follow(ctx, 0)
	for n := 1; n < groupMembers; n++ {
		if err := addAccount(ctx, owner.client, member(n).Local()); err != nil {
			c.t.Fatal(err)
		}
		c.follow(ctx, n)
	}
	c.each(groupMembers-1, func(n int) error {
		if err := c.devices[n+1].client.Subscribe(ctx, member(0)); err != nil {
			return err
		}
		return c.devices[n+1].client.Flush(ctx)
	})
	c.each(groupMembers-1, func(n int) error { return owner.client.Approve(ctx, member(n+1)) })
	if err := owner.client.Flush(ctx); err != nil {
		c.t.Fatal(err)
	}
	for n := range groups {
		c.rooms = append(c.rooms, xmpp.MustJID(fmt.Sprintf("g%d@%s", n, groupDomain)))
	}
	c.each(groups, func(n int) error { return found(ctx, owner.client, c.rooms[n]) })
	for _, f := range c.devices {
		f.again()
	}
	c.old = c.visit(ctx, groupMembers-1)
}

// each does something n times, some of them at once.
func (c *crowd) each(n int, do func(n int) error) {
	c.t.Helper()
	room := make(chan struct{}, 8)
	var under sync.WaitGroup
	for i := range n {
		room <- struct{}{}
		under.Go(func() {
			defer func() { <-room }()
			if err := do(i); err != nil {
				c.t.Errorf("%d: %v", i, err)
			}
		})
	}
	under.Wait()
	if c.t.Failed() {
		c.t.FailNow()
	}
}

func member(n int) xmpp.JID { return xmpp.MustJID(fmt.Sprintf("m%d@localhost", n)) }

const nsMUC = "http://jabber.org/protocol/muc"

// found makes a group with all members, which only they may enter.
func found(ctx context.Context, owner *client.Client, room xmpp.JID) error {
	in, err := room.WithResource("m0")
	if err != nil {
		return err
	}
	if err := owner.Send(ctx, (&xmpp.Stanza{Kind: xmpp.Presence, To: in}).Add(xmpp.NewElement(nsMUC, "x"))); err != nil {
		return err
	}
	if _, err := owner.Set(ctx, room, xmpp.NewElement(nsMUC+"#owner", "query", xmpp.NewForm("submit", nsMUC+"#roomconfig").Element())); err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	all := xmpp.NewElement(nsMUC+"#admin", "query")
	for n := 1; n < groupMembers; n++ {
		all.Add(xmpp.NewElement(nsMUC+"#admin", "item").Set("jid", member(n).String()).Set("affiliation", "member").Set("nick", member(n).Local()))
	}
	if _, err := owner.Set(ctx, room, all); err != nil {
		return fmt.Errorf("add members: %w", err)
	}
	return owner.Send(ctx, &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", To: in})
}

// said is the body, and the id, of a message.
func said(sender, group, n int) string { return fmt.Sprintf("%d %d %d", sender, group, n) }

// send writes to all groups in turn until sending ends, then waits until all is acknowledged.
func (c *crowd) send(sending, ctx context.Context, sender int) {
	free := make(chan struct{}, outstanding)
	author := c.devices[sender].client
	for n := 0; sending.Err() == nil; n++ {
		for group, room := range c.rooms {
			free <- struct{}{}
			id := said(sender, group, n)
			st := &xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", ID: id, To: room}
			err := author.Submit(ctx, st.Add(xmpp.NewText(xmpp.NSClient, "body", id)), func(err error) {
				if err == nil {
					c.acked.add()
				} else if ctx.Err() == nil {
					c.t.Errorf("%s: %v", id, err)
				}
				<-free
			})
			if err != nil {
				c.t.Errorf("submit %s: %v", id, err)
				return
			}
		}
		c.sent[sender] = n + 1
	}
	if err := author.Flush(ctx); err != nil {
		c.t.Errorf("m%d: flush: %v", sender, err)
		return
	}
	if err := author.Ping(ctx, xmpp.JID{}); err != nil { // refusals come before the answer
		c.t.Errorf("m%d: ping: %v", sender, err)
	}
}

// describe says again and again what a group is about, of one group after the other: a number that grows. What becomes of one that is on its way when the server
// is killed is not known.
func (c *crowd) describe(sending, ctx context.Context) {
	owner := c.devices[0].client
	for n := 1; c.acked.reach(sending, c.acked.value()+between) == nil; n++ {
		form := xmpp.NewForm("submit", nsMUC+"#roomconfig").Add("muc#roomconfig_roomdesc", "", "", strconv.Itoa(n))
		switch _, err := owner.Set(ctx, c.rooms[n%groups], xmpp.NewElement(nsMUC+"#owner", "query", form.Element())); {
		case err == nil:
			c.changed[n%groups] = append(c.changed[n%groups], n)
			c.changes++
		case !uncertain(err) && ctx.Err() == nil:
			c.t.Errorf("description %d: %v", n, err)
		}
	}
}

// compareChanged checks that a log has all changes that were acknowledged, each once and in order.
func (c *crowd) compareChanged(group int, log []place) {
	due := c.changed[group]
	newest := 0
	for _, e := range log {
		if e.about == 0 {
			continue
		}
		if e.about <= newest {
			c.t.Errorf("group %d: description %d comes after %d", group, e.about, newest)
		}
		if newest = e.about; len(due) > 0 && due[0] == e.about {
			due = due[1:]
		}
	}
	if len(due) > 0 {
		c.t.Errorf("group %d: of %d changes that were acknowledged, the log lacks %d", group, len(c.changed[group]), due)
	}
}

// bounce notes a message that the server has refused.
func (c *crowd) bounce(st *xmpp.Stanza) {
	if err := xmpp.ErrorOf(st); err.Type != "wait" {
		c.t.Errorf("%s was refused for good: %v", st.ID, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[st.ID] = true
}

// due is the number of the first message from n on that was not refused.
func (c *crowd) due(sender, group, n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.refused[said(sender, group, n)] {
		n++
	}
	return n
}

// compare reads each group's log, and compares it with what was said and with what the devices have.
func (c *crowd) compare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for group, room := range c.rooms {
		log, err := readLog(ctx, c.devices[0].client, room, 0)
		if err != nil {
			c.t.Fatalf("log of %s: %v", room, err)
		}
		c.compareSaid(group, log)
		c.compareChanged(group, log)
		for _, f := range c.devices {
			f.compare(ctx, room, log)
		}
		c.old.compare(room, log)
	}
	if n := len(c.refused); n > 0 {
		c.t.Errorf("%d messages were refused", n)
	}
}

// compareSaid checks that a log is a chain, and holds each sender's messages once, in the order in which they were sent; of those that were refused, none.
func (c *crowd) compareSaid(group int, log []place) {
	var next [groupSenders]int
	newest, wrong := int64(0), 0
	for _, e := range log {
		if (e.after != newest || e.id <= newest) && wrong < 10 {
			c.t.Errorf("group %d: entry %d says that %d is before it, not %d", group, e.id, e.after, newest)
			wrong++
		}
		newest = e.id
		var sender, where, n int
		if e.body == "" {
			continue
		}
		if _, err := fmt.Sscanf(e.body, "%d %d %d", &sender, &where, &n); err != nil || where != group {
			c.t.Fatalf("group %d: %q: %v", group, e.body, err)
		}
		if due := c.due(sender, group, next[sender]); n != due && wrong < 10 {
			c.t.Errorf("group %d: %q where %d was due", group, e.body, due)
			wrong++
		}
		next[sender] = n + 1
	}
	for sender, n := range next {
		if due := c.due(sender, group, n); due != c.sent[sender] {
			c.t.Errorf("group %d: up to %d of %d from m%d", group, n, c.sent[sender], sender)
		}
	}
}
