package publishing

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"

// TestAccountsMoveAndGo exports an account with all that it publishes, gives the parts to another in whatever order, compares, and
// removes the first.
func TestAccountsMoveAndGo(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		for _, backwards := range []bool{false, true} {
			t.Run(fmt.Sprint(engine, " ", backwards), func(t *testing.T) { moveAndGo(t, engine, backwards) })
		}
	}
}

func moveAndGo(t *testing.T, engine string, backwards bool) {
	s := palabretest.Start(t, engine, palabretest.With(together))
	romeo := s.Login(t, "romeo")
	for i, payload := range []string{
		"<vCard xmlns='vcard-temp'><FN>Romeo</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>" + picture + "</BINVAL></PHOTO></vCard>",
		"<query xmlns='jabber:iq:private'><prefs xmlns='urn:prefs'>1</prefs></query>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='a@rooms.localhost'>" +
			"<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'><extensions><x xmlns='urn:x'/></extensions></conference></item></publish></pubsub>",
	} {
		romeo.Send(fmt.Sprintf("<iq type='set' id='%d'>%s</iq>", i, payload))
		if answer := romeo.Expect(xmpp.NSClient, "iq"); answer.Attr("type") != "result" {
			t.Fatal(answer)
		}
	}
	from, to := s.Accounts.Get("romeo"), s.Accounts.Add("paris")
	exported, err := s.Core.Export(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	parts := slices.Clone(exported)
	if backwards {
		slices.Reverse(parts)
	}
	for _, part := range parts {
		again, err := xmpp.Parse(part.String(), xmpp.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Core.Import(t.Context(), to, again); err != nil {
			t.Fatalf("import %s: %v", part, err)
		}
	}
	moved, err := s.Core.Export(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range exported {
		same := func(other *xmpp.Element) bool { return summary(other) == summary(part) }
		if !slices.ContainsFunc(moved, same) {
			t.Errorf("this was exported, and not there after the move:\n%s\nbut\n%s", summary(part), moved)
		}
	}
	if err := s.DB.Tx(t.Context(), func(ctx context.Context) error { return s.Core.Removed(ctx, from) }); err != nil {
		t.Fatal(err)
	}
	left, err := s.Core.Export(t.Context(), from)
	left = slices.DeleteFunc(left, func(part *xmpp.Element) bool { return part.First() == nil })
	if len(left) > 0 || err != nil {
		t.Errorf("left after the removal: %s, %v", left, err)
	}
}

// summary is the children of a part, whatever their order.
func summary(part *xmpp.Element) string {
	var all []string
	for child := range part.Children() {
		all = append(all, child.String())
	}
	slices.Sort(all)
	return part.Local + " " + part.Space + fmt.Sprint(all)
}
