package drill

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

var channelKills = flag.Int("channel-kills", 2, "how often the server is killed on SQLite while channels are lively; on PostgreSQL half as often")

const (
	channels       = 5
	publishers     = 3  // who publish in all channels
	lines          = 4  // posts of a publisher that are on their way at once
	readers        = 12 // who follow all channels
	reactions      = 40 // of each reader
	planBetween    = 40 // posts that are acknowledged between two that are planned
	channelDomain  = "channels.localhost"
	nsChannel      = "urn:palabre:channel:0"
	nsPubSub       = "http://jabber.org/protocol/pubsub"
	nsPubSubOwner  = nsPubSub + "#owner"
	nsPubSubEvent  = nsPubSub + "#event"
	nsAtom         = "http://www.w3.org/2005/Atom"
	aheadOfTime    = 1500 * time.Millisecond
	mostReactedTo  = 60
	plannedEnough  = 5
	progressAtMost = 600
)

var emojis = []string{"👍", "🎉", "🙏", ""}

// TestKillChannels kills the server while publishers post to channels at full speed and plan posts for later, and readers react. In the end the log of each
// channel has every acknowledged post once and in the order of who sent it, and every planned one once; it is a chain without gaps; all readers have that log
// and nothing else; and the sums of reactions are those that were acknowledged.
func TestKillChannels(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killChannels(t, "", *channelKills) })
	t.Run("postgres", func(t *testing.T) { killChannels(t, database(t), (*channelKills+1)/2) })
}

func killChannels(t *testing.T, database string, times int) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(times))
	defer cancel()
	p := &press{t: t, server: newServer(t, database), reacted: map[string]map[string]int{}}
	p.server.env = append(p.server.env, "PALABRE_CHANNEL_MAX_POSTS_PER_HOUR=1000000")
	p.feed = &feed{t: t, server: p.server, place: channelPlace, newest: attendChannels, read: readChannel, bounced: func(st *xmpp.Stanza) { t.Errorf("refused: %s", st) }}
	p.server.add("--admin", "p0")
	p.server.start()
	p.found(ctx)
	working, stop := context.WithCancel(ctx)
	defer stop()
	p.begin(working, ctx)
	for i := range times {
		if err := p.progress(ctx, 1+rand.Int64N(progressAtMost)); err != nil {
			t.Fatalf("before failure %d: %v; %d acknowledged", i, err, p.acked.value())
		}
		p.server.kill()
		p.server.start()
	}
	if err := p.progress(ctx, progressAtMost); err != nil {
		t.Fatalf("after the last failure: %v; %d acknowledged", err, p.acked.value())
	}
	if err := p.plans.reach(ctx, plannedEnough); err != nil {
		t.Fatalf("planned posts: %v", err)
	}
	stop()
	p.work.Wait()
	p.compare(ctx)
	p.server.stop()
	t.Logf("%d failures; %d posts acknowledged to their publishers and %d planned ones, each once in its channel's log, and in the same order on %d devices; %d reactions",
		times, p.acked.value(), p.plans.value(), len(p.devices), p.reactions.value())
}

// press are those who publish in all channels, and those who follow them.
type press struct {
	t          *testing.T
	server     *palabre
	feed       *feed
	publishers []*client.Client
	devices    []*follower
	work       sync.WaitGroup
	acked      counter // posts
	plans      counter // posts that are published later
	reactions  counter
	sent       [publishers][lines]int

	mu      sync.Mutex                // guards what follows
	known   []string                  // posts that were acknowledged, as "channel item", the first mostReactedTo
	reacted map[string]map[string]int // how many have reacted to each of them, and how
}

func (p *press) progress(ctx context.Context, more int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.acked.reach(ctx, p.acked.value()+more)
}

func channelName(n int) string { return fmt.Sprintf("c%d", n) }

var channelService = xmpp.MustJID(channelDomain)

// channelOf is the address under which the log of a channel is known here.
func channelOf(node string) xmpp.JID { return xmpp.MustJID(node + "@" + channelDomain) }

// channelPlace says in which channel's log a message has its place, and which; its body is the id of the post, "" for a change.
func channelPlace(st *xmpp.Stanza) (log xmpp.JID, p place, err error) {
	entry := st.Child(nsChannel, "entry")
	if entry == nil || st.From != channelService {
		return log, p, nil
	}
	if p.id, err = strconv.ParseInt(entry.Attr("id"), 10, 64); err != nil {
		return log, p, err
	}
	if p.after, err = strconv.ParseInt(entry.Attr("after"), 10, 64); err != nil {
		return log, p, err
	}
	if items := st.Child(nsPubSubEvent, "event").Child(nsPubSubEvent, "items"); items != nil {
		p.body = items.Child(nsPubSubEvent, "item").Attr("id")
	}
	log, err = xmpp.ParseJID(entry.Attr("node") + "@" + channelDomain)
	return log, p, err
}

// attendChannels has a new session hear all that it follows, and gives their newest entries.
func attendChannels(ctx context.Context, c *client.Client) (map[xmpp.JID]int64, error) {
	list, err := c.Set(ctx, channelService, xmpp.NewElement(nsChannel, "attend"))
	if err != nil {
		return nil, fmt.Errorf("attend: %w", err)
	}
	all := map[xmpp.JID]int64{}
	for one := range list.Children() {
		if !one.Is(nsChannel, "channel") {
			continue
		}
		if all[channelOf(one.Attr("node"))], err = strconv.ParseInt(one.Attr("newest"), 10, 64); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readChannel reads a channel's log after an entry, 0 for the whole.
func readChannel(ctx context.Context, c *client.Client, channel xmpp.JID, after int64) (log []place, err error) {
	return readPlaces(ctx, c, client.ArchiveQuery{Archive: channelService, Node: channel.Local()}, after, func(st *xmpp.Stanza) (place, error) {
		_, p, err := channelPlace(st)
		return p, err
	})
}

// found makes the accounts, the channels, and who follows them.
func (p *press) found(ctx context.Context) {
	first := p.server.connect(ctx, p.server.config("p0"))
	p.publishers = []*client.Client{first}
	for n := 1; n < publishers; n++ {
		p.must(addAccount(ctx, first, fmt.Sprintf("p%d", n)))
		p.publishers = append(p.publishers, p.server.connect(ctx, p.server.config(fmt.Sprintf("p%d", n))))
	}
	for n := range channels {
		_, err := first.Set(ctx, channelService, xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "create").Set("node", channelName(n))))
		p.must(err)
		all := xmpp.NewElement(nsPubSubOwner, "affiliations").Set("node", channelName(n))
		for n := 1; n < publishers; n++ {
			all.Add(xmpp.NewElement(nsPubSubOwner, "affiliation").Set("jid", fmt.Sprintf("p%d@localhost", n)).Set("affiliation", "publisher"))
		}
		_, err = first.Set(ctx, channelService, xmpp.NewElement(nsPubSubOwner, "pubsub", all))
		p.must(err)
	}
	for n := range readers {
		name := fmt.Sprintf("r%d", n)
		p.must(addAccount(ctx, first, name))
		reader := p.feed.follow(ctx, name)
		for n := range channels {
			subscribe := xmpp.NewElement(nsPubSub, "subscribe").Set("node", channelName(n)).Set("jid", name+"@localhost")
			_, err := reader.client.Set(ctx, channelService, xmpp.NewElement(nsPubSub, "pubsub", subscribe))
			p.must(err)
		}
		reader.again()
		p.devices = append(p.devices, reader)
	}
}

func (p *press) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// begin has all do what they do, until working ends.
func (p *press) begin(working, ctx context.Context) {
	for publisher := range publishers {
		for line := range lines {
			p.work.Go(func() { p.publish(working, ctx, publisher, line) })
		}
	}
	p.work.Go(func() { p.plan(working, ctx) })
	for n := range p.devices {
		p.work.Go(func() { p.react(working, ctx, n) })
	}
}

// surely asks again and again, as long as it is not known what has become of it: all that is asked here may be asked twice.
func surely(ctx context.Context, ask func() error) error {
	for {
		if err := ask(); err == nil || !uncertain(err) || ctx.Err() != nil {
			return err
		}
	}
}

func posting(node, item string) *xmpp.Element {
	entry := xmpp.NewElement(nsAtom, "entry", xmpp.NewText(nsAtom, "id", item), xmpp.NewText(nsAtom, "title", item), xmpp.NewText(nsAtom, "updated", "2026-11-21T18:00:00Z"))
	publish := xmpp.NewElement(nsPubSub, "publish", xmpp.NewElement(nsPubSub, "item", entry).Set("id", item)).Set("node", node)
	return xmpp.NewElement(nsPubSub, "pubsub", publish)
}

// publish posts to all channels in turn, each post when the one before it was acknowledged.
func (p *press) publish(working, ctx context.Context, publisher, line int) {
	for n := 0; working.Err() == nil; n++ {
		node, item := channelName(n%channels), said(publisher, line, n)
		err := surely(ctx, func() error {
			_, err := p.publishers[publisher].Set(ctx, channelService, posting(node, item))
			return err
		})
		if err != nil {
			p.t.Errorf("publish %s: %v", item, err)
			return
		}
		p.sent[publisher][line] = n + 1
		p.acked.add()
		p.mu.Lock()
		if len(p.known) < mostReactedTo {
			p.known = append(p.known, node+" "+item)
		}
		p.mu.Unlock()
	}
}

// plan has posts published a little later.
func (p *press) plan(working, ctx context.Context) {
	for n := 0; p.acked.reach(working, p.acked.value()+planBetween) == nil; n++ {
		err := surely(ctx, func() error {
			later := xmpp.NewElement(nsChannel, "schedule").Set("at", xmpp.FormatTime(time.Now().Add(aheadOfTime)))
			_, err := p.publishers[n%publishers].Set(ctx, channelService, posting(channelName(n%channels), planned(n)).Add(later))
			return err
		})
		if err != nil {
			p.t.Errorf("plan %d: %v", n, err)
			return
		}
		p.plans.add()
	}
}

func planned(n int) string { return fmt.Sprintf("planned %d", n) }

// react reacts to posts, now and then otherwise than before.
func (p *press) react(working, ctx context.Context, reader int) {
	mine := map[string]string{}
	for n := 0; n < reactions && p.acked.reach(working, p.acked.value()+between) == nil; n++ {
		p.mu.Lock()
		about := p.known[(n*(reader+1))%len(p.known)]
		p.mu.Unlock()
		node, item := about[:2], about[3:]
		emoji := emojis[(n+reader)%len(emojis)]
		err := surely(ctx, func() error {
			react := xmpp.NewText(nsChannel, "react", emoji).Set("node", node).Set("item", item)
			_, err := p.devices[reader].client.Set(ctx, channelService, react)
			return err
		})
		if err != nil {
			p.t.Errorf("r%d reacts to %s: %v", reader, about, err)
			return
		}
		mine[about] = emoji
		p.reactions.add()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for about, emoji := range mine {
		if p.reacted[about] == nil {
			p.reacted[about] = map[string]int{}
		}
		if emoji != "" {
			p.reacted[about][emoji]++
		}
	}
}

// compare reads each channel's log, and compares it with what was published and with what the devices have; then the sums.
func (p *press) compare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	late := 0
	for n := range channels {
		p.nothingWaits(ctx, channelName(n))
		log, err := readChannel(ctx, p.publishers[0], channelOf(channelName(n)), 0)
		if err != nil {
			p.t.Fatalf("log of %s: %v", channelName(n), err)
		}
		late += p.compareLog(n, log)
		for _, device := range p.devices {
			device.compare(ctx, channelOf(channelName(n)), log)
		}
	}
	if due := int(p.plans.value()); late != due {
		p.t.Errorf("%d planned posts in the logs, not %d", late, due)
	}
	p.compareSums(ctx)
}

// nothingWaits waits until all that was planned in a channel is published.
func (p *press) nothingWaits(ctx context.Context, node string) {
	for {
		had := p.devices[0].got.value()
		list, err := p.publishers[0].Get(ctx, channelService, xmpp.NewElement(nsChannel, "scheduled").Set("node", node))
		if err != nil {
			p.t.Fatalf("what is planned in %s: %v", node, err)
		}
		if list.First() == nil {
			return
		}
		if err := p.devices[0].got.reach(ctx, had+1); err != nil {
			p.t.Fatalf("%s: waits still: %s: %v", node, list, err)
		}
	}
}

// compareLog checks that a log is a chain, and holds the posts of each line once, in the order in which they were sent; it gives how many planned ones there are.
func (p *press) compareLog(channel int, log []place) (late int) {
	newest, seen := int64(0), map[string]bool{}
	next := map[[2]int]int{}
	for _, e := range log {
		if e.after != newest || e.id <= newest {
			p.t.Errorf("channel %d: entry %d says that %d is before it, not %d", channel, e.id, e.after, newest)
		}
		newest = e.id
		if e.body == "" {
			continue
		}
		if seen[e.body] {
			p.t.Errorf("channel %d: %q is there twice", channel, e.body)
		}
		seen[e.body] = true
		var publisher, line, n int
		if _, err := fmt.Sscanf(e.body, "planned %d", &n); err == nil {
			late++
			continue
		}
		if _, err := fmt.Sscanf(e.body, "%d %d %d", &publisher, &line, &n); err != nil {
			p.t.Fatalf("channel %d: %q: %v", channel, e.body, err)
		}
		if due := channel + channels*next[[2]int{publisher, line}]; n != due {
			p.t.Errorf("channel %d: %q where %d was due", channel, e.body, due)
		}
		next[[2]int{publisher, line}]++
	}
	for publisher := range publishers {
		for line := range lines {
			if got, due := next[[2]int{publisher, line}], (p.sent[publisher][line]+channels-1-channel)/channels; got != due {
				p.t.Errorf("channel %d: %d of %d posts of p%d's line %d", channel, got, due, publisher, line)
			}
		}
	}
	return late
}

// compareSums checks that reactions are counted as they were acknowledged.
func (p *press) compareSums(ctx context.Context) {
	for about, due := range p.reacted {
		ask := xmpp.NewElement(nsChannel, "sums", xmpp.NewElement(nsChannel, "post").Set("item", about[3:])).Set("node", about[:2])
		answer, err := p.publishers[0].Get(ctx, channelService, ask)
		if err != nil {
			p.t.Fatalf("sums of %s: %v", about, err)
		}
		got := map[string]int{}
		for one := range answer.Child(nsChannel, "post").Children() {
			if one.Is(nsChannel, "reaction") {
				if got[one.Attr("emoji")], err = strconv.Atoi(one.Attr("count")); err != nil {
					p.t.Fatal(err)
				}
			}
		}
		if !maps.Equal(got, due) {
			p.t.Errorf("reactions to %s are %v, not %v", about, got, due)
		}
	}
	if len(p.reacted) == 0 {
		p.t.Error("nobody has reacted")
	}
}
