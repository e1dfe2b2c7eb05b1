package pubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// openTown is a town with its server.
func openTown(t *testing.T, db *store.DB) (*town, *coretest.World) {
	t.Helper()
	w := &town{}
	f, err := New(t.Context(), DefaultConfig(), db, w, w, w, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w.Feature = f
	return w, coretest.New(t, db, w)
}

func payload(text string) *xmpp.Element { return xmpp.NewText("urn:t", "x", text) }

// contents are the ids and texts of a node's items.
func contents(t *testing.T, f *Feature, account *core.Account, node string) string {
	t.Helper()
	var all []string
	err := f.Items(t.Context(), account, node, func(id string, payload *xmpp.Element) error {
		all = append(all, id+"="+payload.Text())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRulesShareTheTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, world := openTown(t, db)
		romeo := world.Add("romeo")
		refuse := xmpp.NotAcceptable.Because("no")
		w.OnPublish("a", func(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error {
			if err := w.Publish(ctx, account, "b", id, payload); err != nil {
				return err
			}
			if payload.Text() == "bad" {
				return refuse
			}
			return nil
		})
		w.OnRetract("a", func(ctx context.Context, account *core.Account, id string) error {
			if id == "" {
				return nil
			}
			return w.Retract(ctx, account, "b", id)
		})
		device := world.Bind("romeo", "phone")
		device.Say("<presence><wants xmlns='urn:test'>a</wants><wants xmlns='urn:test'>b</wants></presence>")
		device.Heard()

		must(t, w.Publish(t.Context(), romeo, "a", "1", payload("good")))
		if heard := strings.Join(device.Heard(), ""); strings.Count(heard, "<message") != 2 || !strings.Contains(heard, "node='b'") {
			t.Errorf("heard %s", heard)
		}
		if err := w.Publish(t.Context(), romeo, "a", "2", payload("bad")); !errors.Is(err, refuse) {
			t.Errorf("a rule's refusal came as %v", err)
		}
		if heard := device.Heard(); len(heard) > 0 {
			t.Errorf("told of what was refused: %s", heard)
		}
		for _, node := range []string{"a", "b"} {
			if got := contents(t, w.Feature, romeo, node); got != "1=good" {
				t.Errorf("node %s holds %s", node, got)
			}
		}
		must(t, w.Retract(t.Context(), romeo, "a", "1"))
		if got := contents(t, w.Feature, romeo, "b"); got != "" {
			t.Errorf("node b holds %s", got)
		}
		if err := w.Retract(t.Context(), romeo, "a", "1"); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("a second removal: %v", err)
		}
	})
}

// TestLastEventIsTheLastItem publishes from many goroutines while devices come online: whatever a device hears last is what the node holds.
func TestLastEventIsTheLastItem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, world := openTown(t, db)
		romeo := world.Add("romeo")
		first := world.Bind("romeo", "first")
		first.Say("<presence><wants xmlns='urn:test'>n</wants></presence>")
		first.Heard()
		devices := []*coretest.Device{first}
		const publishers, each = 4, 15
		var all sync.WaitGroup
		for p := range publishers {
			all.Go(func() {
				for i := range each {
					if err := w.Publish(context.Background(), romeo, "n", "current", payload(fmt.Sprint(p, "-", i, "."))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 5 {
			late := world.Bind("romeo", fmt.Sprint("late", i))
			late.Say("<presence><wants xmlns='urn:test'>n</wants></presence>")
			devices = append(devices, late)
		}
		all.Wait()
		last, err := w.Item(t.Context(), romeo, "n", "current")
		must(t, err)
		heard := first.Heard()
		if len(heard) != publishers*each {
			t.Errorf("the first device heard %d events of %d", len(heard), publishers*each)
		}
		devices[0] = nil
		check := func(heard []string) {
			if len(heard) == 0 || !strings.Contains(heard[len(heard)-1], ">"+last.Text()+"<") {
				t.Errorf("the node holds %s, the last event is %v", last.Text(), heard[max(0, len(heard)-1):])
			}
		}
		check(heard)
		for _, device := range devices[1:] {
			check(device.Heard())
		}
	})
}

func TestLongLastItemAndMembersOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, world := openTown(t, db)
		romeo, long := world.Add("romeo"), strings.Repeat("long ", 1000)
		must(t, w.Publish(t.Context(), romeo, "n", "1", payload(long)))
		must(t, w.Ensure(t.Context(), romeo, "closed", Whitelist))
		must(t, w.Publish(t.Context(), romeo, "closed", "1", payload("secret")))
		come := func(name string) []string {
			device := world.Bind(name, "phone")
			device.Say("<presence><wants xmlns='urn:test'>n</wants><wants xmlns='urn:test'>closed</wants></presence>")
			return device.Heard()
		}
		if heard := come("juliet"); len(heard) != 1 || !strings.Contains(heard[0], long) {
			t.Errorf("juliet heard %.300s", heard)
		}
		if heard := come("mercutio"); len(heard) != 0 {
			t.Errorf("mercutio heard %.300s", heard)
		}
		if heard := come("romeo"); len(heard) != 2 {
			t.Errorf("romeo heard %.300s", heard)
		}
	})
}

func TestExpiredItemsAreGone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, world := openTown(t, db)
		romeo := world.Add("romeo")
		must(t, w.Ensure(t.Context(), romeo, "n", Open))
		must(t, w.Publish(t.Context(), romeo, "n", "1", payload("old")))
		n, err := w.need(t.Context(), romeo, "n")
		must(t, err)
		n.settings.ItemExpire, n.settings.MaxItems = 60, unlimited
		must(t, db.Tx(t.Context(), func(ctx context.Context) error {
			_, err := db.Exec(ctx, "update pubsub_item set id = id - 61000000")
			return errors.Join(err, w.reset(ctx, n))
		}))
		if got := contents(t, w.Feature, romeo, "n"); got != "" {
			t.Errorf("the node shows %s", got)
		}
		must(t, w.Publish(t.Context(), romeo, "n", "2", payload("new")))
		var count int
		must(t, db.QueryRow(t.Context(), "select count(*) from pubsub_item").Scan(&count))
		if count != 1 {
			t.Errorf("%d items are stored", count)
		}
	})
}

// TestPanicWhileTelling checks that a device which makes the server panic does not silence the account.
func TestPanicWhileTelling(t *testing.T) {
	w, world := openTown(t, storetest.Open(t, storetest.SQLite))
	romeo := world.Add("romeo")
	device := world.Bind("romeo", "phone")
	device.Say("<presence><wants xmlns='urn:test'>n</wants></presence>")
	w.interest = panics{}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("did not panic")
			}
		}()
		must(t, w.Publish(t.Context(), romeo, "n", "1", payload("one")))
	}()
	w.interest = w
	must(t, w.Publish(t.Context(), romeo, "n", "1", payload("two")))
	device.Hears(">two<")
}

type panics struct{ Interest }

func (panics) Wants(*core.Session, string) bool { panic("for the test") }
