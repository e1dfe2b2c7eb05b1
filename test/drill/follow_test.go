package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

const nsGroup = "urn:palabre:group:0"

// place is an entry of a group's log: where it stands, and what was said, "" for a change of the group.
type place struct {
	id, after int64
	body      string
	about     int // what the group is described by from then on, 0 for nothing new
}

// groupPlace says in which group's log a message has its place, and which.
func groupPlace(st *xmpp.Stanza) (xmpp.JID, place, error) {
	if st.Type != "groupchat" {
		return xmpp.JID{}, place{}, nil
	}
	p, err := placeOf(st)
	return st.From.Bare(), p, err
}

// placeOf is the place of a message in a group's log, the zero one for what is not kept.
func placeOf(st *xmpp.Stanza) (p place, err error) {
	id := client.StanzaID(st, st.From.Bare())
	after := st.Child(nsGroup, "entry")
	if id == "" || after == nil {
		return p, nil
	}
	if p.id, err = strconv.ParseInt(id, 10, 64); err != nil {
		return p, err
	}
	if p.after, err = strconv.ParseInt(after.Attr("after"), 10, 64); err != nil {
		return p, err
	}
	p.body = st.Body()
	if text := st.Child(nsGroup, "change").Attr("description"); text != "" {
		p.about, err = strconv.Atoi(text)
	}
	return p, err
}

// readLog reads a group's log after an entry, 0 for the whole.
func readLog(ctx context.Context, c *client.Client, room xmpp.JID, after int64) (log []place, err error) {
	return readPlaces(ctx, c, client.ArchiveQuery{Archive: room}, after, placeOf)
}

// readPlaces reads a log that a query names after an entry, 0 for the whole.
func readPlaces(ctx context.Context, c *client.Client, query client.ArchiveQuery, after int64, placeOf func(*xmpp.Stanza) (place, error)) (log []place, err error) {
	if after > 0 {
		query.After = strconv.FormatInt(after, 10)
	}
	for {
		page, err := c.Archive(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Entries {
			p, err := placeOf(entry.Message)
			if err != nil || strconv.FormatInt(p.id, 10) != entry.ID {
				return nil, fmt.Errorf("entry %s of %s %s is not what it says: %v %s", entry.ID, query.Archive, query.Node, err, entry.Message)
			}
			log = append(log, p)
		}
		if page.Complete {
			return log, nil
		}
		query.After = page.Last
	}
}

// feed is how devices have the logs that they follow: what comes live, where each log is when a session begins, and what was missed.
type feed struct {
	t       *testing.T
	server  *palabre
	place   func(st *xmpp.Stanza) (log xmpp.JID, p place, err error) // the zero place for what has none
	newest  func(ctx context.Context, c *client.Client) (map[xmpp.JID]int64, error)
	read    func(ctx context.Context, c *client.Client, log xmpp.JID, after int64) ([]place, error)
	bounced func(st *xmpp.Stanza)
}

// groupFeed is that of a member that attends all its groups, and closes gaps from their logs (docs/protocol/groups.md).
func (c *crowd) groupFeed() *feed {
	return &feed{t: c.t, server: c.server, place: groupPlace, newest: attend, read: readLog, bounced: c.bounce}
}

// attend has a new session get what is said in all groups, and gives their newest entries.
func attend(ctx context.Context, c *client.Client) (map[xmpp.JID]int64, error) {
	list, err := c.Set(ctx, xmpp.MustJID(groupDomain), xmpp.NewElement(nsGroup, "attend"))
	if err != nil {
		return nil, fmt.Errorf("attend: %w", err)
	}
	all := map[xmpp.JID]int64{}
	for one := range list.Children() {
		if !one.Is(nsGroup, "group") {
			continue
		}
		if all[xmpp.MustJID(one.Attr("jid"))], err = strconv.ParseInt(one.Attr("newest"), 10, 64); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// follower is a device that follows logs.
type follower struct {
	feed   *feed
	name   string
	client *client.Client
	got    counter
	signal chan struct{} // has an element when there is something to ask the server for

	mu    sync.Mutex // guards what follows
	fresh bool       // the session is new: nothing is attended yet
	logs  map[xmpp.JID]*followed
}

// followed is a log as one device has it.
type followed struct {
	log    []place
	behind bool  // there is a gap: what comes live is in the log, too
	seen   int64 // the newest entry that came, or was told of, meanwhile
}

func (g *followed) newest() int64 {
	if len(g.log) == 0 {
		return 0
	}
	return g.log[len(g.log)-1].id
}

// follow brings up the device of a member.
func (c *crowd) follow(ctx context.Context, n int) *follower {
	f := c.feed.follow(ctx, member(n).Local())
	c.devices = append(c.devices, f)
	return f
}

// follow brings up a device of an account.
func (feed *feed) follow(ctx context.Context, name string) *follower {
	f := &follower{feed: feed, name: name, signal: make(chan struct{}, 1), logs: map[xmpp.JID]*followed{}}
	cfg := feed.server.config(name)
	cfg.OnMessage = func(_ context.Context, st *xmpp.Stanza) { f.take(st) }
	cfg.OnState = func(state client.State) {
		if state.Online && !state.Resumed {
			f.again()
		}
	}
	f.client = feed.server.connect(ctx, cfg)
	following, stop := context.WithCancel(ctx)
	var under sync.WaitGroup
	under.Go(func() { f.run(following) })
	feed.t.Cleanup(func() { stop(); under.Wait() })
	return f
}

// again says that the session attends nothing yet.
func (f *follower) again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = true
	f.ask()
}

func (f *follower) ask() {
	select {
	case f.signal <- struct{}{}:
	default:
	}
}

// take takes what comes live: the next entry is the one that has the newest before it.
func (f *follower) take(st *xmpp.Stanza) {
	if st.IsError() {
		f.feed.bounced(st)
		return
	}
	log, p, err := f.feed.place(st)
	if err != nil {
		f.feed.t.Errorf("%s got %s: %v", f.name, st, err)
	}
	if p.id == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.log(log)
	switch {
	case p.id <= g.newest(): // it was in the log already
	case !g.behind && p.after == g.newest():
		g.log = append(g.log, p)
		f.got.add()
	default:
		g.behind, g.seen = true, max(g.seen, p.id)
		f.ask()
	}
}

// log is what is known of a log; f.mu is held.
func (f *follower) log(name xmpp.JID) *followed {
	g := f.logs[name]
	if g == nil {
		g = &followed{}
		f.logs[name] = g
	}
	return g
}

// run asks for what is missing until ctx ends.
func (f *follower) run(ctx context.Context) {
	for {
		select {
		case <-f.signal:
		case <-ctx.Done():
			return
		}
		err := f.attend(ctx)
		if err == nil {
			err = f.catchUp(ctx)
		}
		switch refused := (*xmpp.Error)(nil); {
		case err == nil || ctx.Err() != nil:
		case !uncertain(err):
			f.feed.t.Errorf("%s: %v", f.name, err)
		case errors.As(err, &refused):
			f.again()
		}
	}
}

// attend has a new session get what is new, and finds out in which logs something was missed.
func (f *follower) attend(ctx context.Context) error {
	f.mu.Lock()
	fresh := f.fresh
	f.fresh = false
	f.mu.Unlock()
	if !fresh {
		return nil
	}
	all, err := f.feed.newest(ctx, f.client)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, newest := range all {
		if g := f.log(name); newest > g.newest() {
			g.behind, g.seen = true, max(g.seen, newest)
		}
	}
	return nil
}

// catchUp closes all gaps from the logs.
func (f *follower) catchUp(ctx context.Context) error {
	for room := f.nextBehind(); !room.IsZero(); room = f.nextBehind() {
		f.mu.Lock()
		newest := f.logs[room].newest()
		f.mu.Unlock()
		log, err := f.feed.read(ctx, f.client, room, newest)
		if err != nil {
			f.ask()
			return fmt.Errorf("read %s: %w", room, err)
		}
		f.mu.Lock()
		g := f.logs[room]
		for _, p := range log {
			if p.after != g.newest() && g.newest() > 0 {
				f.feed.t.Errorf("%s read from %s: %d after %d, not after %d", f.name, room, p.id, p.after, g.newest())
			}
			g.log = append(g.log, p)
			f.got.add()
		}
		g.behind = g.newest() < g.seen
		f.mu.Unlock()
	}
	return nil
}

func (f *follower) nextBehind() xmpp.JID {
	f.mu.Lock()
	defer f.mu.Unlock()
	for room, g := range f.logs {
		if g.behind {
			return room
		}
	}
	return xmpp.JID{}
}

// compare waits until the device has a log's newest entry, and checks that it has the log from when it began to follow.
func (f *follower) compare(ctx context.Context, room xmpp.JID, log []place) {
	f.feed.t.Helper()
	last := log[len(log)-1].id
	for {
		had := f.got.value()
		f.mu.Lock()
		mine := slices.Clone(f.log(room).log)
		f.mu.Unlock()
		if n := len(mine); n > 0 && mine[n-1].id >= last {
			first := slices.IndexFunc(log, func(p place) bool { return p.id == mine[0].id })
			before := slices.IndexFunc(log, func(p place) bool { return p.body != "" })
			if first < 0 || first > before || !slices.Equal(mine, log[first:]) {
				f.feed.t.Errorf("%s has another log of %s than the server: %d of %d entries from the %d. on", f.name, room, n, len(log), first)
			}
			return
		}
		if err := f.got.reach(ctx, had+1); err != nil {
			f.feed.t.Fatalf("%s waits for entry %d of %s and has %d: %v", f.name, last, room, len(mine), err)
		}
	}
}

// occupant is a device that knows rooms with presence alone (XEP-0045) and reads no log: it misses what is said while it is away.
type occupant struct {
	crowd *crowd
	name  string

	mu   sync.Mutex // guards seen
	seen map[xmpp.JID][]place
}

// visit brings up such a device of a member.
func (c *crowd) visit(ctx context.Context, n int) *occupant {
	o := &occupant{crowd: c, name: member(n).Local(), seen: map[xmpp.JID][]place{}}
	cfg := c.server.config(o.name)
	cfg.OnMessage = func(_ context.Context, st *xmpp.Stanza) { o.take(st) }
	came := make(chan struct{}, 1)
	cfg.OnState = func(state client.State) {
		if state.Online && !state.Resumed {
			select {
			case came <- struct{}{}:
			default:
			}
		}
	}
	device := c.server.connect(ctx, cfg)
	visiting, stop := context.WithCancel(ctx)
	var under sync.WaitGroup
	under.Go(func() {
		for {
			select {
			case <-came:
				o.enter(visiting, device)
			case <-visiting.Done():
				return
			}
		}
	})
	c.t.Cleanup(func() { stop(); under.Wait() })
	return o
}

// enter comes into all groups, without what was said before.
func (o *occupant) enter(ctx context.Context, device *client.Client) {
	for _, room := range o.crowd.rooms {
		in, err := room.WithResource(o.name)
		if err == nil {
			x := xmpp.NewElement(nsMUC, "x", xmpp.NewElement(nsMUC, "history").Set("maxstanzas", "0"))
			err = device.Send(ctx, (&xmpp.Stanza{Kind: xmpp.Presence, To: in}).Add(x))
		}
		if err != nil && ctx.Err() == nil && !uncertain(err) {
			o.crowd.t.Errorf("%s comes into %s: %v", o.name, room, err)
		}
	}
}

func (o *occupant) take(st *xmpp.Stanza) {
	p, err := placeOf(st)
	if err != nil {
		o.crowd.t.Errorf("%s got %s: %v", o.name, st, err)
	}
	if st.Type != "groupchat" || p.id == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[st.From.Bare()] = append(o.seen[st.From.Bare()], p)
}

// compare checks that what came is in the log, in its order, and each entry once.
func (o *occupant) compare(room xmpp.JID, log []place) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.seen[room]) == 0 {
		o.crowd.t.Errorf("%s got nothing of %s", o.name, room)
	}
	rest := log
	for _, p := range o.seen[room] {
		i := slices.Index(rest, p)
		if i < 0 {
			o.crowd.t.Errorf("%s got %v of %s, which is not in the log, or not there", o.name, p, room)
			return
		}
		rest = rest[i+1:]
	}
}
