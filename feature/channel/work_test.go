package channel

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// newTown is a service with the channel town, which is romeo's and which these follow, all online.
func newTown(t *testing.T, db *store.DB, w *coretest.World, waker Waker, followers ...string) (*Channels, *coretest.Device, map[string]*coretest.Device) {
	t.Helper()
	cs, err := New(t.Context(), DefaultConfig(), db, waker, nil, "https://localhost", coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	cs.Attach(w.Server)
	romeo, all := w.Bind("romeo", "a"), map[string]*coretest.Device{}
	ask(t, romeo, "set", "<pubsub xmlns='"+nsPubSub+"'><create node='town'/></pubsub>")
	for _, name := range followers {
		all[name] = w.Bind(name, "a")
		ask(t, all[name], "set", "<pubsub xmlns='"+nsPubSub+"'><subscribe node='town' jid='"+name+"@localhost'/></pubsub>")
		ask(t, all[name], "set", "<attend xmlns='"+NS+"'/>")
	}
	return cs, romeo, all
}

var (
	askedMu sync.Mutex // guards asked
	asked   int
)

// ask puts a request to the service and gives the answer, which must be a result.
func ask(t *testing.T, d *coretest.Device, kind, payload string) string {
	t.Helper()
	askedMu.Lock()
	asked++
	id := fmt.Sprint("ask", asked)
	askedMu.Unlock()
	d.Say("<iq type='" + kind + "' id='" + id + "' to='channels.localhost'>" + payload + "</iq>")
	answer := d.Hears("<iq ", "id='"+id+"'")
	if !strings.Contains(answer, "type='result'") {
		t.Fatalf("%s\nis answered with\n%s", payload, answer)
	}
	return answer
}

// publishing is a request to publish a post with this id.
func publishing(item, beside string) string {
	return "<pubsub xmlns='" + nsPubSub + "'><publish node='town'><item id='" + item + "'><entry xmlns='" + nsAtom + "'><id>tag:" + item + "</id><title>" + item +
		"</title><updated>2026-11-21T18:00:00Z</updated></entry></item></publish>" + beside + "</pubsub>"
}

func count(t *testing.T, db *store.DB, sql string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestScheduledPostsArePublishedOnce lets a post's time come while the service is not there, twice at once, and again.
func TestScheduledPostsArePublishedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, _ := newTown(t, db, w, nil)
		in := func(d time.Duration) string {
			return "<schedule xmlns='" + NS + "' at='" + xmpp.FormatTime(time.Now().Add(d)) + "'/>"
		}
		ask(t, romeo, "set", publishing("soon", in(time.Hour)))
		ask(t, romeo, "set", publishing("later", in(time.Hour)))
		ask(t, romeo, "set", publishing("later", in(10*time.Hour))) // takes its place
		answer := ask(t, romeo, "set", publishing("never", in(time.Hour)))
		id := strings.Split(answer[strings.Index(answer, "<schedule"):], "'")
		for i, part := range id {
			if strings.HasSuffix(part, " id=") {
				ask(t, romeo, "set", "<cancel xmlns='"+NS+"' node='town' id='"+id[i+1]+"'/>")
			}
		}
		if list := ask(t, romeo, "get", "<scheduled xmlns='"+NS+"' node='town'/>"); strings.Count(list, "<post ") != 2 || strings.Contains(list, "never") {
			t.Errorf("there wait %s", list)
		}
		if err := cs.publishDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "select count(*) from channel_entry where kind = 0"); n != 0 {
			t.Errorf("%d posts are published before their time", n)
		}

		// The service comes back when the time is over.
		again := coretest.New(t, db)
		cs, err := New(t.Context(), DefaultConfig(), db, nil, nil, "", coretest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		cs.Attach(again.Server)
		juliet := again.Bind("juliet", "a")
		ask(t, juliet, "set", "<pubsub xmlns='"+nsPubSub+"'><subscribe node='town' jid='juliet@localhost'/></pubsub>")
		ask(t, juliet, "set", "<attend xmlns='"+NS+"'/>")
		cs.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := cs.publishDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		juliet.Hears("<title>soon</title>")
		if n := count(t, db, "select count(*) from channel_entry where kind = 0"); n != 1 {
			t.Errorf("%d posts are published", n)
		}
		if n := count(t, db, "select count(*) from channel_scheduled"); n != 1 {
			t.Errorf("%d posts wait", n)
		}
	})
}

// TestAPostThatMayNotBeAnyMoreIsDropped schedules a post of somebody who publishes no more when its time comes.
func TestAPostThatMayNotBeAnyMoreIsDropped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, _ := newTown(t, db, w, nil)
		juliet := w.Bind("juliet", "a")
		juliet.SetPresence(&xmpp.Stanza{Kind: xmpp.Presence, From: juliet.JID}, 0)
		stand := func(as string) {
			ask(t, romeo, "set", "<pubsub xmlns='"+nsOwner+"'><affiliations node='town'><affiliation jid='juliet@localhost' affiliation='"+as+"'/></affiliations></pubsub>")
		}
		stand("publisher")
		ask(t, juliet, "set", publishing("hers", "<schedule xmlns='"+NS+"' at='"+xmpp.FormatTime(time.Now().Add(time.Hour))+"'/>"))
		stand("none")
		cs.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
		if err := cs.publishDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "select (select count(*) from channel_entry where kind = 0) + (select count(*) from channel_scheduled)"); n != 0 {
			t.Error("it was published, or waits still")
		}
		juliet.Hears("<message ", "from='town@channels.localhost'", "<dropped xmlns='"+NS+"'", "item='hers'", "forbidden", "was not published")
	})
}

// TestViewsAreCountedOnceForEachAccount reports the same view twice, and finds a number in the database and nobody's.
func TestViewsAreCountedOnceForEachAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, others := newTown(t, db, w, nil, "juliet", "mercutio")
		ask(t, romeo, "set", publishing("p", ""))
		saw := "<viewed xmlns='" + NS + "' node='town'><post item='p'/><post item='unknown'/></viewed>"
		for range 2 {
			for _, d := range others {
				ask(t, d, "set", saw)
			}
			cs.writeViews(t.Context())
		}
		if list := ask(t, romeo, "get", "<sums xmlns='"+NS+"' node='town'><post item='p'/></sums>"); !strings.Contains(list, "views='2'") {
			t.Error(list)
		}
		if n := count(t, db, "select count(*) from channel_sum"); n != 1 {
			t.Errorf("%d rows are written", n)
		}
	})
}

// woken are the accounts that a waker was told of.
type woken struct {
	mu  sync.Mutex // guards all
	all []string
}

func (w *woken) Missed(_ context.Context, chat xmpp.JID, who []*core.Account) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range who {
		w.all = append(w.all, chat.String()+" "+one.JID.String())
	}
	return nil
}

// TestFollowersAreWoken wakes those whom a post is for, at the address by which the channel is muted, and not its author.
func TestFollowersAreWoken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, who := coretest.New(t, db), &woken{}
		cs, romeo, _ := newTown(t, db, w, who, "juliet", "mercutio", "romeo")
		ask(t, romeo, "set", publishing("p", ""))
		one, ok := cs.wakes.take()
		if !ok {
			t.Fatal("nobody is to be woken")
		}
		if err := cs.wakeAll(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(who.all, ", "); len(who.all) != 2 || !strings.Contains(got, "town@channels.localhost juliet@localhost") || strings.Contains(got, "romeo@") {
			t.Errorf("woken: %s", got)
		}
	})
}

// TestOneRowForAPost counts what a post writes when it has few and when it has many followers.
func TestOneRowForAPost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		_, romeo, _ := newTown(t, db, w, nil, "juliet", "mercutio")
		rows := func() (n int) {
			for table := range parts {
				n += count(t, db, "select count(*) from "+table)
			}
			return n
		}
		before := rows()
		ask(t, romeo, "set", publishing("p", ""))
		if n := rows() - before; n != 1 {
			t.Errorf("a post writes %d rows", n)
		}
	})
}

// TestAMarkIsGivenAndTakenBack is what an operator does, and what people see of it.
func TestAMarkIsGivenAndTakenBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, _, others := newTown(t, db, w, nil, "juliet")
		juliet := others["juliet"]
		const info = "<query xmlns='" + nsInfo + "' node='town'/>"
		if err := cs.Mark(t.Context(), "town", "town hall, seen by us"); err != nil {
			t.Fatal(err)
		}
		juliet.Hears("what='mark' reason='town hall, seen by us'")
		if is := ask(t, juliet, "get", info); !strings.Contains(is, NS+"#mark'><value>town hall, seen by us</value>") && !strings.Contains(is, "town hall, seen by us") {
			t.Error(is)
		}
		if err := cs.Mark(t.Context(), "town", ""); err != nil {
			t.Fatal(err)
		}
		juliet.Hears("what='mark' reason=''")
		if is := ask(t, juliet, "get", info); strings.Contains(is, "seen by us") {
			t.Error(is)
		}
		if cs.Mark(t.Context(), "nowhere", "x") == nil || cs.Mark(t.Context(), "town", strings.Repeat("x", maxMark+1)) == nil {
			t.Error("a channel that is not there is marked, or a reason is too long")
		}
		if all, err := cs.List(t.Context(), "", 10); err != nil || len(all) != 1 || all[0].Followers != 1 || all[0].Owners[0] != "romeo@localhost" {
			t.Error(all, err)
		}
	})
}

// TestAChannelIsHandedOn closes the account of an owner: the publisher owns the channel then, and when nobody is left all of it goes.
func TestAChannelIsHandedOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, _ := newTown(t, db, w, nil, "mercutio", "romeo")
		ask(t, romeo, "set", "<pubsub xmlns='"+nsOwner+"'><affiliations node='town'><affiliation jid='mercutio@localhost' affiliation='publisher'/></affiliations></pubsub>")
		ask(t, romeo, "set", publishing("p", ""))
		ask(t, romeo, "set", "<react xmlns='"+NS+"' node='town' item='p'>👍</react>")
		closeAccount := func(name string) {
			account, err := w.Server.Account(t.Context(), xmpp.MustJID(name+"@localhost"))
			if err != nil {
				t.Fatal(err)
			}
			for more := true; more; {
				if more, err = cs.RemovePiece(t.Context(), account); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Tx(t.Context(), func(ctx context.Context) error { return cs.remove(ctx, account) }); err != nil {
				t.Error(err)
			}
		}
		closeAccount("romeo")
		if all, err := cs.List(t.Context(), "", 10); err != nil || len(all) != 1 || all[0].Owners[0] != "mercutio@localhost" || all[0].Followers != 1 {
			t.Error(all, err)
		}
		if n := count(t, db, "select count(*) from channel_entry where kind = 0"); n != 1 {
			t.Error("what he said is gone")
		}
		closeAccount("mercutio")
		n := count(t, db, "select count(*) from channel_node")
		for table := range parts {
			n += count(t, db, "select count(*) from "+table)
		}
		if n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}
