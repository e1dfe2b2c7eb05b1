package pay

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/xmpp"
)

const splitID = "the-dinner-of-friday"

// dinner is a bill of 100.00 of nadia's, of which karim, sami and nadia pay a part.
const dinner = "<split id='" + splitID + "' group='friends@groups.example' total='10000' unit='MAD' for='Dinner' by='equal'><share jid='karim@example' amount='3334'/>" +
	"<share jid='sami@example' amount='3333'/><share jid='nadia@example' amount='3333'/></split>"

// shareOf is somebody's share of a split.
func shareOf(e *xmpp.Element, name string) *xmpp.Element {
	for c := range e.Children() {
		if c.Attr("jid") == name+"@example" {
			return c
		}
	}
	return nil
}

func TestSplit(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		karim, nadia, sami, lea := g.people["karim"], g.people["nadia"], g.people["sami"], g.people["lea"]
		made := nadia.set(dinner)
		nadia.set(dinner) // its answer was lost
		nadia.refused("id-taken", true, strings.Replace(dinner, "Dinner", "Lunch", 1))
		g.attributes(made, "organiser", "nadia@example", "payee", "nadia@example", "paid", "3333", "group", "friends@groups.example")
		g.attributes(shareOf(made, "nadia"), "state", "paid", "request", "")
		g.attributes(shareOf(made, "karim"), "state", "open", "paid", "0", "amount", "3334")
		if got := g.notices("sami", "id", "paid"); !slices.Equal(got, []string{"split " + splitID + " 3333"}) {
			t.Errorf("sami was told %q", got)
		}
		g.notices("nadia")
		ofKarim, ofSami := shareOf(made, "karim").Attr("request"), shareOf(made, "sami").Attr("request")
		sami.fails("item-not-found", sami.send("nadia", 3334, ofKarim)) // somebody else's share
		lea.fails("item-not-found", lea.send("nadia", 3333, ofSami))
		karim.fails("exceeds", karim.send("nadia", 3335, ofKarim))
		paid := karim.done(karim.send("nadia", 3334, ofKarim))
		karim.fails("over", karim.send("nadia", 3334, ofKarim))
		if got := g.notices("nadia", "id", "paid"); !slices.Equal(got, []string{"split " + splitID + " 6667", "payment " + paid + " "}) {
			t.Errorf("nadia was told %q", got)
		}
		now := nadia.get("<split id='" + splitID + "'/>") // who has not paid
		g.attributes(shareOf(now, "karim"), "state", "paid")
		g.attributes(shareOf(now, "sami"), "state", "open")
		sami.refused("forbidden", true, "<remind id='"+splitID+"'/>")
		g.notices("sami")
		g.notices("karim")
		nadia.set("<remind id='" + splitID + "'/>")
		if got := len(g.notices("sami")); got != 1 {
			t.Errorf("sami was reminded %d times", got)
		}
		if got := g.notices("karim"); len(got) != 0 {
			t.Errorf("karim has paid, and was told %q", got)
		}
		nadia.refused("wait", true, "<remind id='"+splitID+"'/>")
		sami.done(sami.send("nadia", 3333, ofSami))
		if got := g.notices("karim", "paid"); !slices.Equal(got, []string{"split 10000"}) { // all have paid: all are told
			t.Errorf("karim was told %q", got)
		}
		nadia.refused("over", true, "<remind id='"+splitID+"'/>")
		g.has("karim", 96_666, "sami", 96_667, "nadia", 106_667, "lea", 100_000)
		if n := len(slices.Collect(sami.get("<splits group='friends@groups.example'/>").Children())); n != 1 {
			t.Errorf("sami has a part in %d splits", n)
		}
		if n := len(slices.Collect(lea.get("<splits/>").Children())); n != 0 {
			t.Errorf("lea has a part in %d splits", n)
		}
	})
}

func TestSplitIsCancelled(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		made := nadia.set(dinner)
		karim.done(karim.send("nadia", 3334, shareOf(made, "karim").Attr("request")))
		karim.refused("forbidden", true, "<cancel id='"+splitID+"'/>")
		nadia.set("<cancel id='" + splitID + "'/>")
		nadia.set("<cancel id='" + splitID + "'/>")
		now := sami.get("<split id='" + splitID + "'/>")
		g.attributes(shareOf(now, "karim"), "state", "paid")
		g.attributes(shareOf(now, "sami"), "state", "cancelled")
		sami.fails("over", sami.send("nadia", 3333, shareOf(made, "sami").Attr("request")))
	})
}

// TestSplitOfWhatEachHad has an organiser who is not paid, and items.
func TestSplitOfWhatEachHad(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		made := nadia.set("<split id='" + splitID + "' group='friends@groups.example' total='900' unit='MAD' by='items' payee='sami@example'>" +
			"<share jid='karim@example' amount='500'><item name='Fish &amp; rice' amount='400'/><item name='Tea' amount='100'/></share>" +
			"<share jid='nadia@example' amount='400' parts='2'><item name='Soup' amount='400'/></share></split>")
		share := shareOf(made, "karim")
		if got := share.First().Attr("name"); got != "Fish & rice" || len(slices.Collect(share.Children())) != 2 {
			t.Errorf("karim had %s", share)
		}
		nadia.done(nadia.send("sami", 400, shareOf(made, "nadia").Attr("request")))
		karim.set("<decline id='" + share.Attr("request") + "' why='I had tea alone'/>")
		g.attributes(shareOf(sami.get("<split id='"+splitID+"'/>"), "karim"), "state", "declined")
		g.has("sami", 100_400, "nadia", 99_600, "karim", 100_000)
	})
}

// TestSplitOfManyItems bounds them in all, and tells nobody of them who does not ask.
func TestSplitOfManyItems(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		nadia := g.people["nadia"]
		dish := "<item name='" + strings.Repeat("x", maxItem) + "' amount='1'/>"
		with := func(items int) string {
			return "<split id='" + splitID + "' total='300' unit='MAD' by='items'><share jid='karim@example' amount='100'>" + strings.Repeat(dish, items) +
				"</share><share jid='sami@example' amount='100'>" + strings.Repeat(dish, items) + "</share><share jid='lea@example' amount='100'>" + strings.Repeat(dish, items) + "</share></split>"
		}
		nadia.refused("bad-request", true, with(40))
		shown := func(e *xmpp.Element) int { return strings.Count(e.String(), "<item ") }
		if n := shown(nadia.set(with(30))); n != 90 {
			t.Errorf("%d items are answered", n)
		}
		nadia.set("<remind id='" + splitID + "'/>")
		if _, err := g.s.sendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		told := map[string]int{}
		for _, st := range g.told {
			told[st.To.Local()]++
			if strings.Contains(st.String(), "<item ") {
				t.Errorf("items are told to %s", st.To)
			}
		}
		if told["nadia"] != 2 || told["karim"] != 2 || told["sami"] != 2 || told["lea"] != 2 { // when it was made, and when it was reminded of
			t.Errorf("told %v", told)
		}
		if n := shown(nadia.get("<splits/>")); n != 0 {
			t.Errorf("%d items are in the list", n)
		}
		if n := shown(nadia.get("<split id='" + splitID + "'/>")); n != 90 {
			t.Errorf("the split has %d items", n)
		}
	})
}

func TestSplitsThatCannotBe(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		nadia := g.people["nadia"]
		var many strings.Builder
		for i := range maxShares + 1 {
			fmt.Fprintf(&many, "<share jid='p%d@example' amount='1'/>", i)
		}
		for _, test := range []struct{ old, new, want string }{
			{"'3334'", "'3333'", "not-acceptable"}, // the shares do not add up
			{"'3334'", "'3335'", "not-acceptable"},
			{"'3334'", "'9007199254740992'", "not-acceptable"},
			{"'3334'", "'-3334'", "bad-request"},
			{"'3334'", "'0'", "bad-request"},
			{"sami@example", "karim@example", "bad-request"}, // twice
			{"sami@example", "sami@far.example", "no-payee"},
			{"friends@groups.example", "karim@example", "bad-request"},
			{"equal", "guess", "bad-request"},
			{splitID, "dinner", "bad-request"},
			{"<share jid='karim@example'", many.String() + "<share jid='karim@example'", "resource-constraint"},
			{dinner, "<split id='" + splitID + "' total='1' unit='MAD'><share jid='nadia@example' amount='1'/></split>", "bad-request"},
			{dinner, "<split id='" + splitID + "' total='1' unit='MAD'></split>", "not-acceptable"},
		} {
			nadia.refused(test.want, true, strings.Replace(dinner, test.old, test.new, 1))
		}
		nadia.refused("item-not-found", false, "<split id='"+splitID+"'/>")
		nadia.set(dinner)
	})
}
