package pubsub

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// BenchmarkPublish publishes bundles of 9 kB, each account its own, from many goroutines: on a file, each is on disk when it is counted.
func BenchmarkPublish(b *testing.B) {
	db := storetest.OpenConfig(b, storetest.File(b))
	w := &town{}
	f, err := New(b.Context(), DefaultConfig(), db, w, w, w, coretest.Log(b))
	if err != nil {
		b.Fatal(err)
	}
	w.Feature = f
	world := coretest.New(b, db, w)
	bundle := xmpp.NewText("urn:t", "bundle", strings.Repeat("0123456789", 900))
	var last atomic.Int64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		account := world.Add(fmt.Sprint("a", last.Add(1)))
		for pb.Next() {
			if err := f.Publish(context.Background(), account, "bundle", "current", bundle); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkComeOnline sends a session the last items of fifty contacts' device lists, as they are remembered.
func BenchmarkComeOnline(b *testing.B) {
	db := storetest.Open(b, storetest.SQLite)
	w := &crowd{}
	f, err := New(b.Context(), DefaultConfig(), db, w, w, w, coretest.Log(b))
	if err != nil {
		b.Fatal(err)
	}
	world := coretest.New(b, db, f)
	for i := range 50 {
		account := world.Add(fmt.Sprint("a", i))
		w.all = append(w.all, account.JID)
		if err := f.Publish(b.Context(), account, "list", "current", xmpp.NewText("urn:t", "list", "31415")); err != nil {
			b.Fatal(err)
		}
	}
	device := world.Bind("romeo", "phone")
	for b.Loop() {
		f.Interested(b.Context(), device.Session, []string{"list"})
		if heard := len(device.Heard()); heard != 50 {
			b.Fatalf("heard %d", heard)
		}
	}
}
