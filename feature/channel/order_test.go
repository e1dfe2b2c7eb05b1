package channel

import (
	"fmt"
	"regexp"
	"sync"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

var placeInLog = regexp.MustCompile(`<entry xmlns='urn:palabre:channel:0' node='town' id='(\d+)' after='(\d+)'/>`)

// TestEveryFollowerHearsTheLogInItsOrder lets several publish at once, and others come and go meanwhile: each device gets every entry after the one before it.
func TestEveryFollowerHearsTheLogInItsOrder(t *testing.T) {
	const publishers, each = 4, 25
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, followers := newTown(t, db, w, nil, "juliet", "mercutio")
		cs.cfg.MaxPostsPerHour = publishers * each * 2
		devices := []*coretest.Device{romeo, w.Bind("romeo", "b"), w.Bind("romeo", "c"), w.Bind("romeo", "d")}
		var all sync.WaitGroup
		for i, d := range devices[:publishers] {
			all.Go(func() {
				for n := range each {
					d.Say("<iq type='set' id='" + fmt.Sprint("p", i, "-", n) + "' to='channels.localhost'>" + publishing(fmt.Sprint(i, "-", n), "") + "</iq>")
				}
				d.Hears("<iq ", fmt.Sprint("id='p", i, "-", each-1, "'"))
			})
		}
		all.Go(func() {
			nurse := w.Bind("nurse", "a")
			for n := range 10 {
				for _, verb := range []string{"subscribe", "unsubscribe"} {
					id := fmt.Sprint(verb, n)
					nurse.Say("<iq type='set' id='" + id + "' to='channels.localhost'><pubsub xmlns='" + nsPubSub + "'><" + verb + " node='town' jid='nurse@localhost'/></pubsub></iq>")
					nurse.Hears("<iq ", "id='"+id+"'")
				}
			}
		})
		all.Wait()
		for name, d := range followers {
			d.Hears(fmt.Sprint(count(t, db, "select max(id) from channel_entry")))
			before, heard := "", 0
			for _, text := range bytesOf(d) {
				place := placeInLog.FindStringSubmatch(text)
				if place == nil {
					continue
				}
				if before != "" && place[2] != before {
					t.Fatalf("%s: %s comes after %s, and %s was before it", name, place[1], place[2], before)
				}
				before = place[1]
				heard++
			}
			if heard != publishers*each {
				t.Errorf("%s heard %d of %d", name, heard, publishers*each)
			}
		}
		c, err := cs.loaded.get(t.Context(), "town")
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.hearing) != 2 || c.followers != 2 || c.people[xmpp.MustJID("romeo@localhost")] != owner {
			t.Errorf("%d sessions hear, %d follow", len(c.hearing), c.followers)
		}
	})
}

// bytesOf is all that a device has got.
func bytesOf(d *coretest.Device) (all []string) {
	for _, one := range d.Got() {
		all = append(all, string(one.Bytes))
	}
	return all
}
