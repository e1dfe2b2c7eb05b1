package pubsub

import (
	"context"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

func TestAccountsMoveAndGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, world := openTown(t, db)
		romeo, paris := world.Add("romeo"), world.Add("paris")
		w.MakePrivate("private")
		must(t, w.Publish(t.Context(), romeo, "private", "1", payload("one")))
		must(t, w.Publish(t.Context(), romeo, "private", "2", payload("two")))
		must(t, w.Ensure(t.Context(), romeo, "open", Open))
		device := world.Bind("romeo", "phone")
		device.Say("<iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='private'>" +
			"<affiliation jid='juliet@localhost' affiliation='member'/></affiliations></pubsub></iq>")
		world.Bind("juliet", "phone").Say("<iq type='set' id='1' to='romeo@localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
			"<subscribe node='open' jid='juliet@localhost'/></pubsub></iq>")

		exported, err := world.Export(t.Context(), romeo)
		must(t, err)
		for _, part := range exported {
			again, err := xmpp.Parse(part.String(), xmpp.Scope{})
			must(t, err)
			must(t, world.Import(t.Context(), paris, again))
		}
		moved, err := world.Export(t.Context(), paris)
		must(t, err)
		for i := range exported {
			if exported[i].String() != moved[i].String() {
				t.Errorf("exported\n%s\nand after the move\n%s", exported[i], moved[i])
			}
		}

		juliet := world.Add("juliet")
		must(t, w.Ensure(t.Context(), juliet, "n", Open))
		must(t, db.Tx(t.Context(), func(ctx context.Context) error { return world.Removed(ctx, romeo) }))
		rows := map[string]int{"pubsub_node": 3, "pubsub_item": 2, "pubsub_affiliation": 1, "pubsub_subscription": 1, "pubsub_usage": 2}
		expectRows(t, db, rows)
		must(t, db.Tx(t.Context(), func(ctx context.Context) error { return world.Removed(ctx, juliet) }))
		rows = map[string]int{"pubsub_node": 2, "pubsub_item": 2, "pubsub_affiliation": 0, "pubsub_subscription": 0, "pubsub_usage": 1}
		expectRows(t, db, rows)
	})
}

func expectRows(t *testing.T, db *store.DB, rows map[string]int) {
	t.Helper()
	for table, want := range rows {
		var count int
		must(t, db.QueryRow(t.Context(), "select count(*) from "+table).Scan(&count))
		if count != want {
			t.Errorf("%s has %d rows, want %d", table, count, want)
		}
	}
}

func TestImportOfUnknownAccessIsPrivate(t *testing.T) {
	w, world := openTown(t, storetest.Open(t, storetest.SQLite))
	romeo := world.Add("romeo")
	part, err := xmpp.Parse("<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='pubsub#access_model'><value>authorize</value></field><field var='pubsub#odd'><value>1</value></field></x></configure></pubsub>", xmpp.Scope{})
	must(t, err)
	must(t, world.Import(t.Context(), romeo, part))
	if access, err := w.Access(t.Context(), romeo, "n"); access != Whitelist || err != nil {
		t.Errorf("access is %q, %v", access, err)
	}
}
