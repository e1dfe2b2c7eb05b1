package pay

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const requestID = "a-request-of-nadia-1"

func TestRequestIsPaid(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		ask := "<request id='" + requestID + "' payer='karim@example' amount='12500' unit='MAD' for='Sardines'/>"
		g.attributes(nadia.set(ask), "state", "open", "paid", "0", "payee", "nadia@example", "for", "Sardines", "expires", g.now().Add(requestLife).Format(timeLayout))
		nadia.set(ask) // its answer was lost
		nadia.refused("id-taken", true, strings.Replace(ask, "12500", "12501", 1))
		sami.refused("id-taken", true, ask)
		if got := g.notices("karim", "id", "state"); !slices.Equal(got, []string{"request " + requestID + " open"}) {
			t.Errorf("karim was told %q", got)
		}
		sami.refused("item-not-found", false, "<request id='"+requestID+"'/>")
		karim.fails("exceeds", karim.send("nadia", 12501, requestID))
		karim.fails("exceeds", karim.send("nadia", 12499, requestID)) // it is no request that may be paid in parts
		karim.fails("forbidden", karim.send("sami", 12500, requestID))
		sami.fails("item-not-found", sami.send("nadia", 12500, requestID))
		id := karim.done(karim.send("nadia", 12500, requestID))
		karim.fails("over", karim.send("nadia", 12500, requestID))
		g.has("karim", 87_500, "nadia", 112_500, "sami", 100_000)
		g.attributes(karim.get("<request id='"+requestID+"'/>"), "state", "paid", "paid", "12500")
		if got := g.notices("nadia", "id", "state"); !slices.Equal(got, []string{"request " + requestID + " open", "request " + requestID + " paid", "payment " + id + " done"}) {
			t.Errorf("nadia was told %q", got)
		}
		nadia.refused("over", true, "<cancel id='"+requestID+"'/>")
		karim.refused("over", true, "<decline id='"+requestID+"'/>")
		nadia.refused("over", true, "<remind id='"+requestID+"'/>")
	})
}

func TestRequestInParts(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' partial='true'/>")
		karim.done(karim.send("nadia", 400, requestID))
		g.attributes(karim.get("<request id='"+requestID+"'/>"), "state", "part", "paid", "400")
		karim.fails("exceeds", karim.send("nadia", 601, requestID))
		karim.done(karim.send("nadia", 600, requestID))
		g.attributes(karim.get("<request id='"+requestID+"'/>"), "state", "paid", "paid", "1000")
		g.has("karim", 99_000, "nadia", 101_000)
	})
}

func TestRequestEnds(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		made := map[string]string{}
		for _, what := range []string{"declined", "cancelled", "expired"} {
			made[what] = g.id()
			nadia.set("<request id='" + made[what] + "' payer='karim@example' amount='1000' unit='MAD' expires='" + g.now().Add(time.Hour).Format(timeLayout) + "'/>")
		}
		nadia.refused("forbidden", true, "<decline id='"+made["declined"]+"'/>")
		sami.refused("item-not-found", true, "<decline id='"+made["declined"]+"'/>")
		karim.set("<decline id='" + made["declined"] + "' why='I was not there'/>")
		karim.set("<decline id='" + made["declined"] + "' why='I was not there'/>") // its answer was lost
		karim.refused("forbidden", true, "<cancel id='"+made["cancelled"]+"'/>")
		nadia.set("<cancel id='" + made["cancelled"] + "'/>")
		g.notices("nadia")
		g.later(time.Hour)
		if got := g.notices("nadia", "state"); !slices.Equal(got, []string{"request expired"}) {
			t.Errorf("nadia was told %q", got)
		}
		for what, id := range made {
			g.attributes(nadia.get("<request id='"+id+"'/>"), "state", what)
			karim.fails("over", karim.send("nadia", 1000, id))
			nadia.refused("over", true, "<remind id='"+id+"'/>")
		}
		g.attributes(nadia.get("<request id='"+made["declined"]+"'/>"), "why", "I was not there")
		g.has("karim", 100_000, "nadia", 100_000)
		for state, want := range map[string]int{"": 3, "declined": 1, "expired": 1, "open": 0, "waiting": 0} {
			text := "<requests state='" + state + "'/>"
			if n := len(slices.Collect(karim.get(text).Children())); n != want {
				t.Errorf("%s: %d, want %d", text, n, want)
			}
		}
	})
}

// TestRequestIsOverAtOnce has a request whose time is over and that nobody has looked at since.
func TestRequestIsOverAtOnce(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' expires='" + g.now().Add(time.Minute).Format(timeLayout) + "'/>")
		i := karim.send("nadia", 1000, requestID)
		g.mu.Lock()
		g.clock = g.clock.Add(time.Minute)
		g.mu.Unlock()
		karim.fails("over", i)
		g.attributes(nadia.get("<request id='"+requestID+"'/>"), "state", "expired")
		if n := len(slices.Collect(nadia.get("<requests state='expired'/>").Children())); n != 1 {
			t.Errorf("%d expired requests", n)
		}
	})
}

func TestReminders(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD'/>")
		g.notices("karim")
		remind := "<remind id='" + requestID + "'/>"
		karim.refused("forbidden", true, remind)
		for n := range maxReminders {
			nadia.set(remind)
			if got := g.notices("karim", "reminders"); !slices.Equal(got, []string{"request " + digits(int64(n)+1)}) {
				t.Errorf("karim was told %q", got)
			}
			if n < maxReminders-1 {
				nadia.refused("wait", true, remind)
			}
			g.later(remindPause)
		}
		nadia.refused("policy-violation", true, remind)
	})
}

func TestRequestsThatCannotBe(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		nadia := g.people["nadia"]
		good := "<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' for='x' expires='" + g.now().Add(time.Hour).Format(timeLayout) + "' every='week' times='3'/>"
		for _, test := range []struct{ old, new, want string }{
			{requestID, "short", "bad-request"},
			{"karim@example", "nadia@example", "bad-request"},
			{"karim@example", "example", "bad-request"},
			{"karim@example", "karim@example/phone", "bad-request"},
			{"karim@example", "karim@far.example", "no-payee"},
			{"'1000'", "'0'", "bad-request"},
			{"'1000'", "'-5'", "bad-request"},
			{"'1000'", "'1e3'", "bad-request"},
			{"'1000'", "'9007199254740993'", "bad-request"},
			{"MAD", "USD", "not-acceptable"},
			{"MAD", "mad", "bad-request"},
			{"'x'", "'" + strings.Repeat("x", maxFor+1) + "'", "bad-request"},
			{"'x'", "'&#9;'", "bad-request"},
			{g.now().Add(time.Hour).Format(timeLayout), g.now().Format(timeLayout), "bad-request"},
			{g.now().Add(time.Hour).Format(timeLayout), g.now().Add(maxRequestLife + time.Hour).Format(timeLayout), "bad-request"},
			{"week", "year", "bad-request"},
			{"times='3'", "times='1'", "bad-request"},
			{"times='3'", "times='121'", "bad-request"},
			{"times='3'", "times='3' chat='mum@example'", "bad-request"}, // it would stand in a conversation with somebody else
			{"times='3'", "times='3' chat='Mum@EXAMPLE/phone'", "bad-request"},
			{"times='3'", "times='3' chat='groups.example'", "bad-request"},
		} {
			nadia.refused(test.want, true, strings.Replace(good, test.old, test.new, 1))
		}
		nadia.set(good)
	})
}

func TestRecurringRequest(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' every='month' times='4' for='Rent'/>")
		begun := g.now()
		last := turn(begun, everyMonth, 3).Format(timeLayout)
		if told := g.notices("karim", "turn", "every", "times", "last"); !slices.Equal(told, []string{"request 0 month 4 " + last}) {
			t.Fatalf("karim was told %q", told)
		}
		g.attributes(karim.get("<request id='"+requestID+"'/>"), "turn", "0", "every", "month", "times", "4", "last", last)
		karim.done(karim.send("nadia", 1000, requestID))
		g.later(turn(begun, everyMonth, 1).Sub(begun))
		g.later(0) // nothing more
		all := slices.Collect(karim.get("<requests/>").Children())
		if len(all) != 2 || all[0].Attr("turn") != "1" || all[0].Attr("series") != requestID || all[0].Attr("state") != "open" || all[0].Attr("for") != "Rent" {
			t.Fatalf("after a month: %v", all)
		}
		g.attributes(all[0], "every", "month", "times", "4", "last", last)
		if told := g.notices("karim", "turn", "every", "times", "last"); len(told) == 0 || told[len(told)-1] != "request 1 month 4 "+last {
			t.Errorf("karim was told %q", told)
		}
		g.later(400 * 24 * time.Hour) // the service was out for more than a year: each turn is made, once, and there is no fifth
		all = slices.Collect(karim.get("<requests/>").Children())
		if len(all) != 4 {
			t.Fatalf("%d requests, want 4", len(all))
		}
		for i, turn := range []string{"3", "2", "1", "0"} {
			g.attributes(all[i], "turn", turn)
		}
		karim.done(karim.send("nadia", 1000, all[0].Attr("id")))
		g.has("karim", 98_000, "nadia", 102_000)
	})
}

func TestRecurringRequestEnds(t *testing.T) {
	for name, end := range map[string]func(karim, nadia *actor){
		"cancelled": func(_, nadia *actor) { nadia.set("<cancel id='" + requestID + "'/>") },
		"declined":  func(karim, _ *actor) { karim.set("<decline id='" + requestID + "'/>") },
		"cancelled when the first is paid": func(karim, nadia *actor) {
			karim.done(karim.send("nadia", 1000, requestID))
			nadia.set("<cancel id='" + requestID + "'/>")
			nadia.refused("over", true, "<cancel id='"+requestID+"'/>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, "karim nadia", func(t *testing.T, g *stage) {
				karim, nadia := g.people["karim"], g.people["nadia"]
				nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' every='day' times='10'/>")
				end(karim, nadia)
				g.later(72 * time.Hour)
				if n := len(slices.Collect(karim.get("<requests/>").Children())); n != 1 {
					t.Errorf("%d requests, want the first alone", n)
				}
			})
		})
	}
}

func TestRequestsByPages(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		for range 7 {
			nadia.set("<request id='" + g.id() + "' payer='karim@example' amount='1000' unit='MAD'/>")
		}
		g.people["sami"].set("<request id='" + g.id() + "' payer='nadia@example' amount='1000' unit='MAD'/>")
		var seen []string
		for before := ""; ; {
			page := karim.get("<requests max='3' before='" + before + "'/>")
			for e := range page.Children() {
				before = e.Attr("id")
				seen = append(seen, before)
			}
			if more := page.Attr("more"); more != before && more != "" {
				t.Errorf("more is %q after %q", more, before)
			} else if more == "" {
				break
			}
		}
		if len(seen) != 7 || !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("karim saw %q", seen)
		}
	})
}
