package pay

import (
	"errors"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// FuzzHandleIQ asks the service whatever there is. Each answer is one, or an error that a stanza can carry; and nothing that no key of the payer has signed takes money.
func FuzzHandleIQ(f *testing.F) {
	b := openBank(f, storetest.Open(f, storetest.SQLite), unhurried())
	b.Use(&rails{Service: b.Service, book: b.ledger})
	karim := b.newDevice("karim")
	b.fund(karim.account, "MAD", 1000)
	thief := b.stranger("karim")
	for _, e := range []*xmpp.Element{thief.sign(thief.intent(intent.Send, "nadia@example", 100)), thief.keyElement(pinKey), thief.keyElement(passkey), thief.orderElement("order", intent.AddKey, thief.id),
		element("unlock", "key", karim.id, "verifier", "AAAA"), element("freeze"), element("wallet"), element("about"), element("history", "q", "x", "max", "2"), element("lookup", "id", "x"),
		element("quote", "kind", "send", "payee", "nadia@example", "amount", "1", "unit", "MAD"), element("cashin", "id", fresh(), "rail", "momo", "amount", "1", "unit", "MAD", "address", "1")} {
		f.Add(e.String(), true)
		f.Add(e.String(), false)
	}
	f.Fuzz(func(t *testing.T, text string, set bool) {
		e, err := xmpp.Parse(text, xmpp.Scope{Default: NS})
		if err != nil {
			return
		}
		answer, err := b.HandleIQ(t.Context(), xmpp.MustJID("karim@example/phone"), set, e)
		var wire *xmpp.Error
		if err != nil && (!errors.As(err, &wire) || wire.Condition == "internal-server-error") || err == nil && answer == nil {
			t.Errorf("%s: %v, %v", text, answer, err)
		}
		if a, err := b.stands(t.Context(), WalletAccount("MAD", karim.account)); err != nil || a.Available() != 1000 {
			t.Errorf("%s: the wallet stands at %+v (%v)", text, a, err)
		}
	})
}
