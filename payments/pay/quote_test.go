package pay

import (
	"context"
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// people is a directory that knows a few.
type people struct {
	names    map[string]string
	contacts []Contact
	blocks   []string // who blocks whom
}

func (p people) Person(_ context.Context, account xmpp.JID) (string, bool, error) {
	name, ok := p.names[account.String()]
	return name, ok, nil
}

func (p people) Contacts(context.Context, xmpp.JID) ([]Contact, error) { return p.contacts, nil }

func (p people) Blocked(_ context.Context, account, somebody xmpp.JID) (bool, error) {
	return slices.Contains(p.blocks, account.String()+" "+somebody.String()), nil
}

// quoted is what a quote warns of.
func (d *device) quoted(payee, amount string) map[string]string {
	d.Helper()
	q, err := d.ask(d.account, false, element("quote", "kind", "send", "payee", payee, "amount", amount, "unit", "MAD"))
	if err != nil {
		d.Fatal(err)
	}
	all := map[string]string{}
	for w := range q.Children() {
		all[w.Attr("kind")] = w.Attr("of")
	}
	return all
}

func TestQuotesWarn(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.Know(people{names: map[string]string{"nadia@example": "Nadia", "nad1a@example": "", "soukaina@example": "Soukaïna", "fatima@example": "Ahmed Benali", "zoe@example": ""},
			contacts: []Contact{{xmpp.MustJID("souka@example"), ""}, {xmpp.MustJID("ahmed@example"), "Ahmed Benali"}}})
		if w := karim.quoted("nadia@example", "100"); len(w) != 1 || w[warnNewPayee] != "" {
			t.Errorf("a new payee: %v", w)
		}
		for range 3 {
			karim.send("nadia@example", 100)
		}
		if w := karim.quoted("nadia@example", "300"); len(w) != 0 {
			t.Errorf("as usual: %v", w)
		}
		if w := karim.quoted("nadia@example", "303"); len(w) != 1 {
			t.Errorf("more than usual: %v", w)
		}
		if w := karim.quoted("nad1a@example", "100"); w[warnLookAlike] != "nadia@example" {
			t.Errorf("one who looks like another: %v", w)
		}
		if w := karim.quoted("fatima@example", "100"); w[warnLookAlike] != "ahmed@example" {
			t.Errorf("one who calls herself like another: %v", w)
		}
		if w := karim.quoted("zoe@example", "100"); len(w) != 1 {
			t.Errorf("one who looks like nobody: %v", w)
		}
		_, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", "nobody@example", "amount", "1", "unit", "MAD"))
		b.refused(err, "no-payee")
		q, err := b.ask(karim.account, false, element("quote", "kind", "cashout", "payee", "rail:momo:1", "amount", "50000", "unit", "MAD"))
		if err != nil || q.Attr("fee") != "600" || q.Attr("stepup") != "true" {
			t.Errorf("%v (%v)", q, err)
		}
		for _, bad := range []string{"0", "-1", "x", "9007199254740993"} {
			_, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", "nadia@example", "amount", bad, "unit", "MAD"))
			b.refused(err, "bad-text")
		}
	})
}

func TestAnHourAtWhichNobodyPays(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		for range lateTimes {
			karim.send("nadia@example", 1)
		}
		now := time.Now()
		b.mu.Lock()
		b.clock = now
		b.mu.Unlock()
		if w := karim.quoted("nadia@example", "1"); len(w) != 0 {
			t.Errorf("at the usual hour: %v", w)
		}
		b.later(12 * time.Hour)
		if _, late := karim.quoted("nadia@example", "1")[warnLate]; !late {
			t.Error("twelve hours later: no warning")
		}
	})
}

func TestNamesThatLookAlike(t *testing.T) {
	for _, pair := range [][2]string{{"nadia", "nad1a"}, {"nadia", "nаdiа"}, {"karim", "karirn"}, {"soukaina", "soukaïna"}, {"soukaina", "soukania"}, {"paul", "pаul"}, {"benali.ahmed", "benali-ahmed"},
		{"bank", "b4nk0"[:0] + "bаnk"}, {"municipality", "municipalty"}, {"o0o", "ooo"}, {"ahmed", "ahmedd"}} {
		if !looksLike(lookOf(pair[0]), lookOf(pair[1])) {
			t.Errorf("%s and %s do not look alike", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"ali", "alo"}, {"nadia", "karim"}, {"paul", "paula"}, {"", ""}, {"mohamed", "mahmoud"}, {"fatima", "fadila"}} {
		if looksLike(lookOf(pair[0]), lookOf(pair[1])) {
			t.Errorf("%s and %s look alike", pair[0], pair[1])
		}
	}
}
