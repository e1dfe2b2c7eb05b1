package pay

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// TestNobodyIsFlooded asks and cancels in a loop, of which somebody is told each time.
func TestNobodyIsFlooded(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		ask := func() error {
			_, err := nadia.ask(true, "<request id='"+g.id()+"' payer='karim@example' amount='1' unit='MAD'/>")
			return err
		}
		for n := range defaultRates().Ask.AtOnce / 2 {
			id := g.id()
			nadia.set("<request id='" + id + "' payer='karim@example' amount='1' unit='MAD'/>")
			if nadia.set("<cancel id='" + id + "'/>"); n%10 == 0 {
				nadia.get("<request id='" + id + "'/>") // to look is not bounded
			}
		}
		if err := ask(); !errors.Is(err, xmpp.ResourceConstraint) || conditionOf(err) != "wait" {
			t.Fatalf("after %d: %v", defaultRates().Ask.AtOnce, err)
		}
		if n := len(g.notices("karim")); n != defaultRates().Ask.AtOnce {
			t.Errorf("karim was told %d times", n)
		}
		nadia.done(nadia.send("karim", 1, "")) // payments are counted apart
		karim.set("<request id='" + g.id() + "' payer='nadia@example' amount='1' unit='MAD'/>")
		g.later(defaultRates().Ask.Every)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		if err := ask(); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("a second one after %v: %v", defaultRates().Ask.Every, err)
		}
	})
}

// TestRecurringRequestsAreBounded lets the first ones of many expire at once, so that only their later turns are left.
func TestRecurringRequestsAreBounded(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		g.s.cfg.Rates.Ask, g.s.cfg.Rates.Series = Rate{maxAtOnce, time.Second}, Rate{maxAtOnce, time.Second}
		soon := g.now().Add(time.Second).Format(timeLayout)
		ask := func(more string) error {
			_, err := nadia.ask(true, "<request id='"+g.id()+"' payer='karim@example' amount='1' unit='MAD' "+more+"/>")
			return err
		}
		daily := "every='day' times='120' expires='" + soon + "'"
		for range maxWaiting {
			if err := ask(daily); err != nil {
				t.Fatal(err)
			}
		}
		if err := ask(daily); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("above the limit: %v", err)
		}
		g.later(time.Minute)
		if err := ask(""); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("requests that come again have no place: %v", err)
		}
		karim.get("<requests/>")
	})
}

// TestATurnAboveTheLimitIsLeftOut has as many requests waiting as may wait when the next turn comes.
func TestATurnAboveTheLimitIsLeftOut(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		g.s.cfg.Rates.Ask, g.s.cfg.Rates.Series = Rate{maxAtOnce, time.Second}, Rate{maxAtOnce, time.Second}
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1' unit='MAD' every='day' times='4'/>")
		var last string
		for range maxWaiting - 1 {
			last = g.id()
			nadia.set("<request id='" + last + "' payer='karim@example' amount='1' unit='MAD'/>")
		}
		turns := func() (all []string) {
			for e := range karim.get("<requests max='5'/>").Children() {
				if e.Attr("series") != "" {
					all = append(all, e.Attr("turn"))
				}
			}
			return all
		}
		g.later(day)
		if got := turns(); len(got) != 0 {
			t.Fatalf("turns %q above the limit", got)
		}
		nadia.set("<cancel id='" + last + "'/>")
		g.later(day)
		if got := turns(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("turns %q", got)
		}
		g.later(day)
		if got := turns(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("turns %q", got)
		}
	})
}

// TestEachKindOfRequestHasARate asks for the same again and again.
func TestEachKindOfRequestHasARate(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		g.s.Use(&rails{Service: g.s, book: g.book})
		g.later(time.Hour) // their keys are not counted any more
		few := Rate{4, time.Minute}
		g.s.cfg.Rates = Rates{Ask: few, Series: few, Pay: few, Order: few, Key: few, Unlock: few, Cashin: few}
		for name, text := range map[string]string{"pay": "<pay/>", "order": "<order/>", "key": "<key/>", "unlock": "<unlock key='x' verifier='eA'/>", "decline": "<decline id='x'/>",
			"cashin": "<cashin id='" + fresh() + "' rail='momo' amount='5' unit='MAD'/>"} {
			for range few.AtOnce {
				if _, err := karim.ask(true, text); conditionOf(err) == "wait" {
					t.Fatalf("%s: %v", name, err)
				}
			}
			_, err := karim.ask(true, text)
			if !errors.Is(err, xmpp.ResourceConstraint) || conditionOf(err) != "wait" {
				t.Errorf("%s again: %v", name, err)
			}
			if _, err := nadia.ask(true, text); conditionOf(err) == "wait" {
				t.Errorf("%s of another: %v", name, err)
			}
		}
		karim.set("<freeze/>") // is never refused
		g.later(few.Every)
		for n := range 2 {
			if _, err := karim.ask(true, "<order/>"); (conditionOf(err) == "wait") != (n == 1) {
				t.Errorf("order %d after a while: %v", n, err)
			}
		}
	})
}

// TestRecurringRequestsToOnePersonHaveARate: further ones to that person have to wait, not those to others, nor the same one again.
func TestRecurringRequestsToOnePersonHaveARate(t *testing.T) {
	on(t, "karim nadia salma", func(t *testing.T, g *stage) {
		nadia := g.people["nadia"]
		text := func(id, payer string) string {
			return "<request id='" + id + "' payer='" + payer + "@example' amount='1' unit='MAD' every='day' times='3'/>"
		}
		var last string
		for range defaultRates().Series.AtOnce {
			last = g.id()
			nadia.set(text(last, "karim"))
		}
		nadia.refused("wait", true, text(g.id(), "karim"))
		nadia.set(text(last, "karim"))
		nadia.set(text(g.id(), "salma"))
		nadia.set("<request id='" + g.id() + "' payer='karim@example' amount='1' unit='MAD'/>")
		g.later(defaultRates().Series.Every)
		nadia.set(text(g.id(), "karim"))
	})
}

func TestRatesThatCannotBe(t *testing.T) {
	for _, bad := range []Rate{{}, {0, time.Second}, {1, 0}, {maxAtOnce + 1, time.Second}, {1, maxEvery + 1}, {maxAtOnce, maxEvery}, {3661, day}} {
		c := testConfig()
		c.Rates.Key = bad
		if c.Validate() == nil {
			t.Errorf("%+v", bad)
		}
	}
	for _, bad := range []string{"", "5", "x/1s", "5/x", "0/1s", "5/0s", "-1/1s", "5/1000h", "100000/744h"} {
		if new(Rate).UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is read", bad)
		}
	}
	var r Rate
	if err := r.UnmarshalText([]byte("120/1m30s")); err != nil || r != (Rate{120, 90 * time.Second}) {
		t.Errorf("%+v (%v)", r, err)
	}
	if text, err := r.MarshalText(); err != nil || string(text) != "120/1m30s" {
		t.Errorf("%s (%v)", text, err)
	}
}

// TestWhoHasAskedIsForgottenAtLast has more ask than are remembered: memory has a limit, whoever has used up what may be asked still waits, and other rates lose nothing.
func TestWhoHasAskedIsForgottenAtLast(t *testing.T) {
	quick, slow := Rate{3, time.Second}, Rate{1, day}
	p, now := newPace(), time.Now()
	p.ask(&slow, "eager", now)
	for range quick.AtOnce {
		if p.ask(&quick, "eager", now) > 0 {
			t.Fatal("one of the first waits")
		}
	}
	begun, scanned := time.Now(), 3*maxPaced
	for n := range scanned {
		if p.ask(&quick, strconv.Itoa(n), now) > 0 {
			t.Fatalf("another one waits: the %dth", n)
		}
		if len(p.until[&quick]) > maxPaced {
			t.Fatalf("%d are remembered", len(p.until[&quick]))
		}
	}
	t.Logf("%v for each of %d that live", time.Since(begun)/time.Duration(scanned), scanned)
	if p.ask(&quick, "eager", now) == 0 || p.ask(&slow, "eager", now) == 0 {
		t.Error("whoever has used it up is forgotten")
	}
	now = now.Add(time.Minute)
	for n := range maxPaced {
		p.ask(&quick, "later"+strconv.Itoa(n), now)
	}
	if _, known := p.until[&quick]["eager"]; known {
		t.Error("who may ask as much as anybody is remembered although there is no place")
	}
}
