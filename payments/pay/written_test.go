package pay

import (
	"errors"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// TestWordsThatXMLLacks signs control characters, and asks with them as the page does, whose requests are no XML.
func TestWordsThatXMLLacks(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		for _, words := range []string{"\x01", "rice\x00", "\x1f", "\uFFFE", "\uFFFF"} {
			for _, kind := range []intent.Kind{intent.Send, intent.Mandate, intent.Cashout} {
				i := karim.intent(kind, "nadia@example", 1000, func(i *intent.Intent) {
					switch i.For = words; kind {
					case intent.Mandate:
						i.Total, i.Period, i.Until = 1000, "day", i.Expires
					case intent.Cashout:
						i.For, i.Payee = "", "rail:x:"+words
					}
				})
				_, err := b.HandleIQ(t.Context(), karim.account, true, karim.sign(i))
				b.refused(err, "bad-text")
				if _, err := b.ask(karim.account, false, element("lookup", "id", i.ID)); !errors.Is(err, xmpp.ItemNotFound) {
					t.Errorf("%s for %q was kept: %v", kind, words, err)
				}
			}
			stranger := b.stranger("nadia")
			for _, payload := range []*xmpp.Element{stranger.keyElement(pinKey).Set("name", words), stranger.keyElement(passkey).Add(xmpp.NewText(NS, "credential", words)),
				element("request", "id", fresh(), "payer", "karim@example", "amount", "1", "unit", "MAD").Set("for", words)} {
				_, err := b.HandleIQ(t.Context(), nadia.account, true, payload)
				b.refused(err, "bad-text")
			}
		}
		if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.For = "rice\tand\nfish\u007f" })); err != nil {
			t.Errorf("tab and line feed: %v", err)
		}
		if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.For = "no funds\x00"; i.Amount = 1 << 40 })); err == nil {
			t.Error("what is not there was paid")
		}
		karim.send("nadia@example", 1000)
		if told := len(b.told(nadia.account)); told < 2 {
			t.Errorf("nadia was told %d times", told)
		}
	})
}

// TestANoticeThatCannotBeRead is not in the way of the next one.
func TestANoticeThatCannotBeRead(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.told(nadia.account)
		for i, text := range []string{"<message", "<message xmlns='jabber:client'><body>\x01</body></message>", "<else/>"} {
			_, err := b.db.Exec(t.Context(), "insert into pay_notice (id, account, stanza, tries, due) values ($1, $2, $3, 0, 0)", i+1, nadia.account.String(), text)
			if err != nil {
				t.Fatal(err)
			}
		}
		before := len(b.told(nadia.account))
		karim.send("nadia@example", 1000)
		if told := len(b.told(nadia.account)) - before; told != 1 {
			t.Errorf("nadia was told %d times", told)
		}
		var left int64
		if err := b.db.QueryRow(t.Context(), "select count(*) from pay_notice").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d notices are left (%v)", left, err)
		}
	})
}
