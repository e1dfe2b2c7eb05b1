package roster

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
)

// deaf is a door that counts what it is given.
type deaf struct{ got int }

func (d *deaf) Send(core.Delivery)    { d.got++ }
func (*deaf) End(condition, _ string) {}

const benchPresence = `<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://conversations.im' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>
	<x xmlns='vcard-temp:x:update'><photo>0123456789abcdef0123456789abcdef01234567</photo></x><show>away</show></presence>`

// crowd is n accounts with a session each; account i sees, and is seen by, the next few on each side.
func crowd(b *testing.B, n, circle int) (*town, []*core.Session, []*deaf) {
	b.Helper()
	db := storetest.Open(b, storetest.SQLite)
	f, err := New(b.Context(), db, DefaultConfig(), coretest.Log(b))
	if err != nil {
		b.Fatal(err)
	}
	w := &town{World: coretest.New(b, db, f), Feature: f}
	accounts := make([]*core.Account, n)
	for i := range accounts {
		accounts[i] = w.World.Add(fmt.Sprint("user", i))
	}
	err = db.Tx(b.Context(), func(ctx context.Context) error {
		for i, account := range accounts {
			for k := 1; k <= circle/2; k++ {
				for _, other := range []int{(i + k) % n, (i - k + n) % n} {
					it := &item{contact: accounts[other].JID, state: To | From | Listed}
					if err := f.write(ctx, account.ID, it); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	sessions, doors := make([]*core.Session, n), make([]*deaf, n)
	for i, account := range accounts {
		jid, err := account.JID.WithResource("phone")
		if err != nil {
			b.Fatal(err)
		}
		doors[i] = &deaf{}
		if sessions[i], err = w.Server.Bind(b.Context(), account, jid, doors[i]); err != nil {
			b.Fatal(err)
		}
	}
	return w, sessions, doors
}

func say(b *testing.B, w *town, session *core.Session, stanza string) {
	handled := make(chan struct{})
	session.Accept(b.Context(), w.Parse(stanza), func() { close(handled) })
	<-handled
}

// BenchmarkUpdate is one presence update to twenty contacts that are there; figures are for all of them together.
func BenchmarkUpdate(b *testing.B) {
	w, sessions, _ := crowd(b, 100, 20)
	for _, session := range sessions {
		say(b, w, session, benchPresence)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		say(b, w, sessions[i%len(sessions)], benchPresence)
	}
}

// BenchmarkIdle is what a session with twenty contacts takes in memory once it has sent its presence, without its door.
func BenchmarkIdle(b *testing.B) {
	const n = 5000
	for range b.N {
		w, sessions, _ := crowd(b, n, 20)
		before := heap()
		for _, session := range sessions {
			say(b, w, session, benchPresence)
		}
		b.ReportMetric(float64(heap()-before)/n, "bytes/session")
		runtime.KeepAlive(w)
		runtime.KeepAlive(sessions)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
