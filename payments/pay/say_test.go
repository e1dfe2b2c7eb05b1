package pay

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// TestEveryTextInEveryLanguage wants the same texts in all languages, with the same things in them.
func TestEveryTextInEveryLanguage(t *testing.T) {
	place := regexp.MustCompile(`\{\d\}`)
	about := map[string]bool{"point": true, "group": true, "lakh": true, "rtl": true}
	for name, in := range texts {
		for key, text := range in {
			if about[key] {
				continue
			}
			places, want := place.FindAllString(text, -1), place.FindAllString(texts["en"][key], -1)
			slices.Sort(places)
			slices.Sort(want)
			if texts["en"][key] == "" || !slices.Equal(places, want) || text != strings.TrimSpace(text) || name != "en" && text == texts["en"][key] {
				t.Errorf("%s: %s says %q, in English %q", name, key, text, texts["en"][key])
			}
		}
		for key := range texts["en"] {
			if in[key] == "" {
				t.Errorf("%s has no %s", name, key)
			}
		}
	}
}

// bodies are the words of what somebody was told since the last time, and their languages.
func (g *stage) bodies(name string) (all []string) {
	g.t.Helper()
	if _, err := g.s.sendDue(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = slices.DeleteFunc(g.told, func(st *xmpp.Stanza) bool {
		if st.To == g.people[name].jid {
			all = append(all, st.Lang+": "+st.Body())
		}
		return st.To == g.people[name].jid
	})
	return all
}

func (g *stage) speaks(name, lang string) {
	g.t.Helper()
	if err := g.s.Speaks(g.t.Context(), g.people[name].jid, lang); err != nil {
		g.t.Fatal(err)
	}
}

// TestEachIsToldInTheirLanguage pays between two who do not speak the same.
func TestEachIsToldInTheirLanguage(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim := g.people["karim"]
		for _, one := range []struct{ says, want string }{
			{"", "en: karim has paid you 50.00\u00a0MAD."},
			{"fr-MA", "fr: karim vous a payé 50,00\u00a0MAD."},
			{"", "fr: karim vous a payé 50,00\u00a0MAD."}, // who says nothing goes on speaking it
			{"tlh", "fr: karim vous a payé 50,00\u00a0MAD."},
			{"no language", "fr: karim vous a payé 50,00\u00a0MAD."},
			{strings.Repeat("a-", 1e5), "fr: karim vous a payé 50,00\u00a0MAD."},
			{"pt", "pt-BR: karim pagou 50,00\u00a0MAD a você."},
			{"es-MX", "es: karim te ha pagado 50,00\u00a0MAD."},
			{"it", "it: karim ti ha pagato 50,00\u00a0MAD."},
			{"sw-KE", "sw: karim amekulipa 50.00\u00a0MAD."},
			{"hi", "hi: karim ने आपको 50.00\u00a0MAD दिए हैं।"},
			{"ar-EG", "ar: دفع لك \u2068karim\u2069 مبلغ \u206850.00\u00a0MAD\u2069."},
			{"en-GB", "en: karim has paid you 50.00\u00a0MAD."},
		} {
			g.speaks("nadia", one.says)
			karim.done(karim.send("nadia", 5000, ""))
			if got := g.bodies("nadia"); !slices.Equal(got, []string{one.want}) {
				t.Errorf("who speaks %.20q is told %q, want %q", one.says, got, one.want)
			}
		}
		if got := g.bodies("karim"); len(got) != 13 || got[0] != "en: You have paid nadia 50.00\u00a0MAD." {
			t.Errorf("karim is told %q", got)
		}
		g.speaks("nadia", "it")
		g.s.speak = map[xmpp.JID]string{} // the program was started anew
		i := karim.send("nadia", 100, "")
		i.For = "{0} {1}"
		karim.done(i)
		if got := g.bodies("nadia"); !slices.Equal(got, []string{"it: karim ti ha pagato 1,00\u00a0MAD ({0} {1})."}) {
			t.Errorf("nadia is told %q", got)
		}
		g.leaves("nadia")
		if got, err := g.s.languageOf(t.Context(), g.people["nadia"].jid); err != nil || got != "en" {
			t.Errorf("of who was removed %q is known (%v)", got, err)
		}
	})
}

// TestTheServersLanguage is for those whose own is not known.
func TestTheServersLanguage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := testConfig()
		cfg.Language = "sw"
		b := openBank(t, db, cfg)
		karim, nadia := b.newDevice("karim"), b.newDevice("nadia")
		b.fund(karim.account, "MAD", 100_000)
		karim.send("nadia@example", 12_500)
		b.told(nadia.account)
		last := b.net.sent[len(b.net.sent)-1]
		for _, st := range b.net.sent {
			if st.To == nadia.account {
				last = st
			}
		}
		if want := "karim amekulipa 125.00\u00a0MAD. https://example/pay/#"; last.Lang != "sw" || !strings.HasPrefix(last.Body(), want) {
			t.Errorf("%s: %s, want %s", last.Lang, last.Body(), want)
		}
	})
	cfg := testConfig()
	cfg.Language = "tlh"
	if cfg.Validate() == nil {
		t.Error("a language that there is not is accepted")
	}
}

// TestAmountsOfALanguage are those of people who write them otherwise.
func TestAmountsOfALanguage(t *testing.T) {
	on(t, "karim", func(t *testing.T, g *stage) {
		for want, one := range map[string]struct {
			lang   string
			amount int64
		}{
			"1,234,567.89": {"en", 123456789}, "12,34,567.89": {"hi", 123456789}, "1.234.567,89": {"es", 123456789}, "1\u202f234\u202f567,89": {"fr", 123456789}, "999.00": {"en", 99900},
			"0.05": {"sw", 5}, "90,071,992,547,409.92": {"en", ledger.MaxAmount},
		} {
			if got := g.s.amountIn(texts[one.lang], money{one.amount, "MAD", ""}); got != want+"\u00a0MAD" {
				t.Errorf("%d in %s is %q, want %q", one.amount, one.lang, got, want)
			}
		}
		if got := g.s.in("en", say("keyWaits", "phone", time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC))); !strings.Contains(got, "from 2026-11-22 05:00 UTC on") {
			t.Error(got)
		}
	})
}
