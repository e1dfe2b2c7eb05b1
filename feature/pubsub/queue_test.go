package pubsub

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/store/storetest"
)

// TestQueueIsBounded has too much wait to be told: the account is asked to publish later, and nothing has changed; what waits is as old as
// the first of it, and when it has been told the account publishes again.
func TestQueueIsBounded(t *testing.T) {
	w, world := openTown(t, storetest.Open(t, storetest.SQLite))
	romeo := world.Bind("romeo", "phone")
	for range maxTasks {
		w.events.put(romeo.Account.ID, func(context.Context) {})
	}
	publish := "<iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='a'><item id='1'><x xmlns='urn:t'/></item></publish></pubsub></iq>"
	romeo.Say(publish)
	romeo.Hears("type='error'", "type='wait'", "resource-constraint")
	if left := contents(t, w.Feature, romeo.Account, "a"); left != "" {
		t.Errorf("%q was published", left)
	}
	if accounts, tasks := w.events.depth(); accounts != 1 || tasks != maxTasks {
		t.Errorf("%d accounts, %d tasks", accounts, tasks)
	}
	w.tellAll(t.Context(), romeo.Account)
	romeo.Say(publish)
	romeo.Hears("type='result'")
}

func TestQueueAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue
		age := func(want time.Duration) {
			t.Helper()
			if got := q.age(time.Now()); got != want {
				t.Errorf("%v old, not %v", got, want)
			}
		}
		age(0)
		q.put(1, func(context.Context) {})
		time.Sleep(time.Second)
		q.put(1, func(context.Context) {})
		q.put(2, func(context.Context) {})
		age(time.Second)
		q.next(1, true) // is being told
		time.Sleep(time.Second)
		age(2 * time.Second)
		q.next(1, false)
		age(time.Second)
		q.next(1, false)
		q.next(2, true)
		q.next(2, false)
		age(0)
	})
}
