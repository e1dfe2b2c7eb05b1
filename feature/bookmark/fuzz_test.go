package bookmark

import (
	"testing"

	"palabre.dev/palabre/xmpp"
)

// FuzzRooms checks that a list in the old form, written in the new form and back, is what it was for this feature.
func FuzzRooms(f *testing.F) {
	f.Add("<storage xmlns='storage:bookmarks'><conference jid='a@b' name='n' autojoin='1'><nick>x</nick><password>p</password></conference><url/></storage>")
	f.Add("<storage xmlns='storage:bookmarks'><conference jid='A@b'/><conference jid='a@b' autojoin='no'/><conference/></storage>")
	f.Fuzz(func(t *testing.T, text string) {
		storage, err := xmpp.Parse(text, xmpp.Scope{Default: nsOld})
		if err != nil {
			return
		}
		found, order, err := rooms(storage)
		if err != nil {
			return
		}
		if len(order) != len(found) {
			t.Fatalf("%d rooms in an order of %d", len(found), len(order))
		}
		for _, room := range order {
			once := toOld(room, fromOld(found[room], nil))
			if twice := toOld(room, fromOld(once, nil)); once.String() != twice.String() || once.Attr("name") != found[room].Attr("name") {
				t.Errorf("%s became %s and then %s", found[room], once, twice)
			}
		}
	})
}
