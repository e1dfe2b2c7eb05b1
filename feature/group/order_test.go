package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// link is an entry as a device got it.
type link struct{ id, after int64 }

// linkOf reads what a message says of its place in the log of its room.
func linkOf(st *xmpp.Element) (l link, ok bool) {
	id, err := strconv.ParseInt(st.Child("urn:xmpp:sid:0", "stanza-id").Attr("id"), 10, 64)
	if err != nil {
		return l, false
	}
	after, err := strconv.ParseInt(st.Child(NS, "entry").Attr("after"), 10, 64)
	return link{id, after}, err == nil
}

// crowd are accounts with one device each, in several rooms.
type crowd struct {
	t      *testing.T
	server *palabretest.Server
	people []*palabretest.Person
	rooms  []string
}

func newCrowd(t *testing.T, engine string, people, rooms int) *crowd {
	c := &crowd{t: t, server: palabretest.Start(t, engine, with(DefaultConfig()))}
	for i := range people {
		c.server.Accounts.Add(fmt.Sprintf("p%d", i))
		c.people = append(c.people, c.server.Login(t, fmt.Sprintf("p%d/phone", i)))
	}
	for i := range rooms {
		c.rooms = append(c.rooms, c.found(fmt.Sprintf("room%d", i)))
	}
	for _, p := range c.people {
		p.Until()
		p.Send("<iq type='set' id='attend' to='groups.localhost'><attend xmlns='urn:palabre:group:0'/></iq>")
		if list := p.Receive().Child(NS, "groups"); list.Attr("complete") != "true" || strings.Count(list.String(), "<group ") != rooms {
			t.Fatalf("%s attends %s", p.Name, list)
		}
	}
	return c
}

// found makes a room of the first with everybody in it.
func (c *crowd) found(name string) string {
	c.t.Helper()
	jid, owner := name+"@groups.localhost", c.people[0]
	owner.Send("<presence to='" + jid + "/first'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	owner.Send("<iq type='set' id='c' to='" + jid + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	var items strings.Builder
	for i := 1; i < len(c.people); i++ {
		fmt.Fprintf(&items, "<item jid='p%d@localhost' affiliation='member'/>", i)
	}
	owner.Send("<iq type='set' id='m' to='" + jid + "'><query xmlns='" + nsAdmin + "'>" + items.String() + "</query></iq>")
	owner.Send("<presence type='unavailable' to='" + jid + "/first'/>")
	for _, e := range owner.Until() {
		if e.Attr("type") == "error" {
			c.t.Fatal(e)
		}
	}
	return jid
}

// listen gathers what a device gets until every room has so many messages with a text. The next one may take a minute.
func listen(p *palabretest.Person, want int) (got map[string][]link, err error) {
	got = map[string][]link{}
	for texts := 0; texts < want; {
		if err := p.Stream.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			return nil, err
		}
		event, err := p.Stream.Next()
		if err != nil {
			return got, fmt.Errorf("after %d of %d: %w", texts, want, err)
		}
		if event.Kind != transport.Element {
			continue
		}
		e := event.Element
		if e.Attr("type") == "error" {
			return got, fmt.Errorf("refused: %s", e)
		}
		l, ok := linkOf(e)
		if !ok {
			continue
		}
		room, _, _ := strings.Cut(e.Attr("from"), "/")
		got[room] = append(got[room], l)
		if e.Child(xmpp.NSClient, "body") != nil {
			texts++
		}
	}
	return got, nil
}

var errOnPurpose = errors.New("on purpose")

// disturb makes transactions fail, and with them, at first, all that are in the same group, until ctx ends.
func disturb(ctx context.Context, db *store.DB) (n int, err error) {
	for ctx.Err() == nil {
		err := db.Tx(context.WithoutCancel(ctx), func(ctx context.Context) error {
			if _, err := db.Exec(ctx, "update group_room set subject = 'disturbed' where id > 0"); err != nil {
				return err
			}
			return errOnPurpose
		})
		if !errors.Is(err, errOnPurpose) {
			return n, err
		}
		n++
	}
	return n, nil
}

// TestEveryDeviceSeesTheSameOrder has many write into several rooms at once while transactions fail: all devices get every entry once, in the order of the
// log, each after the one before.
func TestEveryDeviceSeesTheSameOrder(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			const people, rooms, each = 20, 3, 10
			c := newCrowd(t, engine, people, rooms)
			disturbing, stop := context.WithCancel(t.Context())
			var disturber, all sync.WaitGroup
			disturber.Go(func() {
				if n, err := disturb(disturbing, c.server.DB); err != nil || n == 0 {
					t.Errorf("%d transactions failed: %v", n, err)
				}
			})
			got := make([]map[string][]link, people)
			for i, p := range c.people {
				all.Go(func() {
					for n := range each {
						for _, room := range c.rooms {
							text := fmt.Sprintf("<message type='groupchat' id='%d' to='%s'><body>%d %d</body></message>", n, room, i, n)
							if err := p.Stream.Write([]byte(text)); err != nil {
								t.Error(err)
								return
							}
						}
					}
				})
				all.Go(func() {
					var err error
					if got[i], err = listen(p, people*rooms*each); err != nil {
						t.Errorf("%s: %v", p.Name, err)
					}
				})
			}
			all.Wait()
			stop()
			disturber.Wait()
			for _, room := range c.rooms {
				kept := c.log(room)
				for i, p := range c.people {
					if seen := got[i][room]; len(seen) < people*each || !slices.Equal(seen, kept[len(kept)-len(seen):]) {
						t.Errorf("%s: %s has seen %d entries, and not those of the log", room, p.Name, len(seen))
					}
				}
			}
		})
	}
}

// log reads a room's log and checks that each entry names the one before it.
func (c *crowd) log(room string) (kept []link) {
	c.t.Helper()
	name, _, _ := strings.Cut(room, "@")
	rows, err := c.server.DB.Query(c.t.Context(), "select e.id, e.after from group_entry e join group_room r on r.id = e.room where r.name = $1 order by e.id", name)
	if err != nil {
		c.t.Fatal(err)
	}
	for before := int64(0); rows.Next(); {
		var l link
		if err := rows.Scan(&l.id, &l.after); err != nil {
			c.t.Fatal(err)
		}
		if l.after != before {
			c.t.Errorf("%s: entry %d names %d before it, not %d", room, l.id, l.after, before)
		}
		before = l.id
		kept = append(kept, l)
	}
	return kept
}
