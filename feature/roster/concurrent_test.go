package roster

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// TestDevicesAgreeInTheEnd lets four devices of two accounts change subscriptions at the same time. Afterwards memory and what each device
// was pushed last are what the database holds.
func TestDevicesAgreeInTheEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		devices := []*coretest.Device{w.online("romeo", "a"), w.online("romeo", "b"), w.online("juliet", "a"), w.online("juliet", "b")}
		var all sync.WaitGroup
		for i, d := range devices {
			all.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(i), 7))
				for range 40 {
					operate(&model{}, [2]*coretest.Device{d, devices[(i+2)%4]}, 0, dice.IntN(len(kinds)+2))
				}
			})
		}
		all.Wait()
		for i, d := range devices {
			contact := devices[(i+2)%4].JID.Bare()
			it, err := w.item(t.Context(), d.Account.ID, contact)
			if err != nil {
				t.Fatal(err)
			}
			cached, err := w.stateOf(t.Context(), d.Account.ID, contact)
			if err != nil {
				t.Fatal(err)
			}
			if cached != it.state&^gone {
				t.Errorf("%s: memory holds %b, the database %b", d.JID, cached, it.state)
			}
			seen, want := &roster{}, &roster{}
			for _, text := range d.Heard() {
				seen.take(w.Parse(text))
			}
			if it.state&Listed != 0 {
				e := it.element()
				*want = roster{e.Attr("subscription"), e.Attr("ask"), e.Attr("approved")}
			}
			if *seen != *want {
				t.Errorf("%s knows %+v, the database %+v", d.JID, *seen, *want)
			}
		}
	})
}

// TestPresenceAgreesInTheEnd has one side change its presence while the other comes and goes: who has come last must know the last one.
func TestPresenceAgreesInTheEnd(t *testing.T) {
	w := lite(t)
	romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
	friends(romeo, juliet)
	for round := range 20 {
		var both sync.WaitGroup
		both.Go(func() {
			for i := range 10 {
				romeo.Say(fmt.Sprintf(`<presence><status>%d-%d</status></presence>`, round, i))
			}
			if round%2 == 1 {
				romeo.Say(`<presence type='unavailable'/>`)
			}
		})
		both.Go(func() {
			juliet.Say(`<presence type='unavailable'/>`)
			juliet.Heard() // who is not there knows nothing of others any more, and is told only who is there when she comes back
			juliet.Say(`<presence/>`)
		})
		both.Wait()
		last := ""
		for _, text := range juliet.Heard() {
			if st := w.Parse(text); st.From == romeo.JID {
				last = st.Type + st.Child(xmpp.NSClient, "status").Text()
			}
		}
		want := fmt.Sprintf("%d-9", round)
		if round%2 == 1 {
			want = "unavailable"
		}
		if last != want && !(last == "" && want == "unavailable") {
			t.Fatalf("round %d: juliet believes %q, romeo is %q", round, last, want)
		}
		romeo.Say(`<presence/>`)
		romeo.Heard()
		juliet.Heard()
	}
}
