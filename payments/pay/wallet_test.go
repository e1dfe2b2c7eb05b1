package pay

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

func TestAFrozenWalletPaysNothing(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		i := karim.intent(intent.Send, "nadia@example", 1000)
		for range 2 {
			w, err := b.ask(karim.account, true, element("freeze"))
			if err != nil || w.Attr("frozen") == "" {
				t.Fatalf("%v (%v)", w, err)
			}
		}
		_, err := karim.pay(i)
		b.refused(err, "frozen")
		b.fund(nadia.account, "MAD", 1000)
		nadia.send("karim@example", 1000) // it is paid all the same
		stranger := b.stranger("karim")
		if err := stranger.order(intent.Unfreeze, ""); err == nil {
			t.Error("a key that nobody knows has opened a wallet")
		}
		if err := karim.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 1000)
		_, err = karim.pay(i)
		b.refused(err, "frozen")
	})
}

func TestAFirstKeyWaitsWhereThereIsMoney(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		salma := xmpp.MustJID("salma@example")
		karim.send(salma.String(), 500)
		thief := b.newDevice("salma") // in a session that was left open
		_, err := thief.pay(thief.intent(intent.Send, "karim@example", 500))
		b.refused(err, "not-ready")
		b.later(b.cfg.FirstKey)
		if err := thief.unlock(pin); err != nil {
			t.Fatal(err)
		}
		thief.send("karim@example", 500)
		youssef := b.newDevice("youssef") // who has nothing yet
		karim.send("youssef@example", 500)
		youssef.send("karim@example", 500)
	})
}

func TestAFurtherKeyWaitsOrIsAllowed(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		tablet := b.newDevice("karim")
		_, err := tablet.pay(tablet.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "not-ready")
		b.refused(tablet.order(intent.DropKey, karim.id), "not-ready")
		b.later(b.cfg.NewDevice)
		if err := karim.unlock(pin); err != nil {
			t.Fatal(err)
		}
		tablet.send("nadia@example", 1)

		watch := b.stranger("karim")
		add := watch.keyElement(pinKey)
		for child := range karim.orderElement("key", intent.AddKey, watch.id).Children() {
			add.Add(child)
		}
		if _, err := b.ask(watch.account, true, add); err != nil {
			t.Fatal(err)
		}
		watch.send("nadia@example", 1)
		thief := b.stranger("karim")
		steal := thief.keyElement(pinKey)
		for child := range karim.orderElement("key", intent.AddKey, watch.id).Children() { // an order about another key
			steal.Add(child)
		}
		_, err = b.ask(thief.account, true, steal)
		b.refused(err, "bad-text")

		if err := watch.order(intent.DropKey, karim.id); err != nil {
			t.Fatal(err)
		}
		_, err = karim.pay(karim.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "no-key")
		_, err = b.ask(karim.account, true, karim.keyElement(pinKey))
		b.refused(err, "no-key")
		if told := b.told(karim.account); len(told) < 4 {
			t.Errorf("%d notices of keys", len(told))
		}
	})
}

func TestAPendingKeyIsAllowedLater(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		tablet := b.newDevice("karim")
		if err := karim.order(intent.AddKey, tablet.id); err != nil {
			t.Fatal(err)
		}
		tablet.send("nadia@example", 1)
		if err := karim.order(intent.AddKey, b.stranger("karim").id); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("a key that is not there: %v", err)
		}
	})
}

func TestOrdersAreDoneOnce(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		order := karim.orderElement("order", intent.SetLimits, "MAD transaction=500 day=800")
		for range 2 {
			if _, err := b.ask(karim.account, true, order); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.ask(nadia.account, true, order); err == nil {
			t.Error("an order of another account")
		}
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 501))
		b.refused(err, "over-limit")
		karim.send("nadia@example", 500)
		_, err = karim.pay(karim.intent(intent.Send, "nadia@example", 301))
		b.refused(err, "over-limit")
		b.refused(karim.order(intent.SetLimits, "MAD transaction=100001 day=800"), "over-limit")
		if err := karim.order(intent.SetLimits, "MAD transaction=100000 day=200000"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ask(karim.account, true, order); err != nil { // the old one again changes nothing
			t.Fatal(err)
		}
		karim.send("nadia@example", 5000)
	})
}

func TestALevelAllowsMore(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.fund(karim.account, "XOF", 1000)
		xof := karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.Unit = "XOF" })
		_, err := karim.pay(xof)
		b.refused(err, "over-limit")
		if err := b.SetLevel(t.Context(), karim.account, "known"); err != nil {
			t.Fatal(err)
		}
		xof.ID = fresh()
		if _, err := karim.pay(xof); err != nil {
			t.Error(err)
		}
		if err := b.SetLevel(t.Context(), karim.account, "king"); err == nil {
			t.Error("a level that there is not")
		}
	})
}

func TestLargePaymentsNeedThePINAnew(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.later(stepUpLife + time.Second)
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 50_000))
		b.refused(err, "step-up")
		karim.send("nadia@example", 49_999)
		if err := karim.unlock(pin); err != nil {
			t.Fatal(err)
		}
		b.later(stepUpLife)
		karim.send("nadia@example", 50_001)
	})
}

// passkeyPay signs as an authenticator does.
func (d *device) passkeyPay(i *intent.Intent, flags byte) *xmpp.Element {
	d.Helper()
	text, err := i.Text()
	if err != nil {
		d.Fatal(err)
	}
	party, sum := sha256.Sum256([]byte("example")), sha256.Sum256([]byte(text))
	authenticator := append(party[:], flags, 0, 0, 0, 0)
	client := fmt.Sprintf(`{"type":"webauthn.get","challenge":%q,"origin":"https://example"}`, b64.EncodeToString(sum[:]))
	hash := sha256.Sum256([]byte(client))
	signed := sha256.Sum256(append(append([]byte{}, authenticator...), hash[:]...))
	value, err := ecdsa.SignASN1(rand.Reader, d.key, signed[:])
	if err != nil {
		d.Fatal(err)
	}
	return element("pay").Add(xmpp.NewText(NS, "intent", text), xmpp.NewText(NS, "signature", b64.EncodeToString(value)).Set("key", d.id).
		Set("authenticator", b64.EncodeToString(authenticator)).Set("client", b64.EncodeToString([]byte(client))))
}

func TestAPasskeyPays(t *testing.T) {
	each(t, func(b *bank) {
		karim := b.stranger("karim")
		if _, err := b.ask(karim.account, true, karim.keyElement(passkey)); err != nil {
			t.Fatal(err)
		}
		b.fund(karim.account, "MAD", 100_000)
		b.later(time.Hour)
		i := karim.intent(intent.Send, "nadia@example", 60_000)
		_, err := b.ask(karim.account, true, karim.passkeyPay(i, 1)) // present, not verified
		b.refused(err, "bad-signature")
		_, err = b.ask(karim.account, true, karim.sign(i)) // a signature without an authenticator
		b.refused(err, "bad-signature")
		answer, err := b.ask(karim.account, true, karim.passkeyPay(i, 5))
		if err != nil {
			t.Fatal(err)
		}
		if r := b.receipt(answer); r.Amount != 60_000 {
			t.Errorf("%+v", r)
		}
		b.refused(karim.unlock(pin), "no-key")
	})
}

// pocket is Karim with 150.00 MAD in his pocket, and a key for it.
func pocket(t *testing.T, run func(b *bank, karim, nadia, offline *device)) {
	two(t, func(b *bank, karim, nadia *device) {
		if _, err := karim.pay(karim.intent(intent.Reserve, "karim@example", 15_000)); err != nil {
			t.Fatal(err)
		}
		offline := b.stranger("karim")
		if _, err := b.ask(offline.account, true, offline.keyElement(offlineKey)); err != nil {
			t.Fatal(err)
		}
		if err := karim.order(intent.AllowOffline, offline.id+" MAD 12000"); err != nil {
			t.Fatal(err)
		}
		run(b, karim, nadia, offline)
	})
}

func TestAPocketIsPromised(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		b.has(karim.account, "MAD", 85_000, 15_000)
		first := offline.intent(intent.Offline, "nadia@example", 10_000, func(i *intent.Intent) { i.Expires = i.Expires.Add(6 * 24 * time.Hour) })
		second := offline.intent(intent.Offline, "soukaina@example", 10_000)
		b.later(5 * time.Minute)
		answer, err := b.ask(nadia.account, true, offline.sign(first)) // Nadia was back first
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.ask(karim.account, true, offline.sign(first)) // then Karim
		if err != nil || again.String() != answer.String() {
			t.Errorf("%v (%v)", again, err)
		}
		_, err = b.ask(xmpp.MustJID("soukaina@example"), true, offline.sign(second))
		b.refused(err, "insufficient")
		b.has(karim.account, "MAD", 85_000, 5_000)
		b.has(nadia.account, "MAD", 10_000, 0)
		found, err := b.Suspicions(t.Context(), time.Now().Add(time.Hour), 10)
		if err != nil || len(found) != 1 || found[0].Kind != "double-promise" || found[0].Payment != second.ID || found[0].About != "soukaina@example" {
			t.Errorf("%+v (%v)", found, err)
		}
		if _, err := karim.pay(karim.intent(intent.Release, "karim@example", 5_000)); err != nil {
			t.Fatal(err)
		}
		b.has(karim.account, "MAD", 90_000, 0)
	})
}

func TestAKeyForThePocketDoesNothingElse(t *testing.T) {
	pocket(t, func(b *bank, karim, _, offline *device) {
		for _, kind := range []intent.Kind{intent.Send, intent.Hold} {
			_, err := offline.pay(offline.intent(kind, "nadia@example", 1, func(i *intent.Intent) {
				if kind == intent.Hold {
					i.Until = i.Expires
				}
			}))
			b.refused(err, "no-key")
		}
		b.refused(offline.order(intent.Unfreeze, ""), "no-key")
		b.refused(offline.order(intent.AllowOffline, offline.id+" MAD 20000"), "no-key")
		_, err := offline.pay(offline.intent(intent.Offline, "nadia@example", 12_001))
		b.refused(err, "over-limit")
		_, err = karim.pay(karim.intent(intent.Offline, "nadia@example", 1)) // a key without a cap
		b.refused(err, "over-limit")
		_, err = karim.pay(karim.intent(intent.Reserve, "karim@example", 5_001)) // more than a pocket holds
		b.refused(err, "over-limit")
		b.refused(karim.order(intent.AllowOffline, offline.id+" MAD 20001"), "over-limit")
		other := b.stranger("karim")
		if _, err := b.ask(other.account, true, other.keyElement(offlineKey)); err != nil {
			t.Fatal(err)
		}
		_, err = other.pay(other.intent(intent.Offline, "nadia@example", 1)) // a stolen session adds a key of its own
		b.refused(err, "over-limit")
	})
}

// rails is a network outside that is told what to do.
type rails struct {
	*Service
	book *ledger.Ledger
	out  []RailTransfer
}

func (r *rails) Offers() []Offer {
	return []Offer{{Name: "momo", Unit: "MAD", Kind: "momo", Title: "Mobile money", In: true, Out: true, Refunds: true}}
}

func (r *rails) Standing(context.Context, string) (Standing, error) {
	return Standing{"unknown", time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Step{"show", "*150#"}}, nil
}

func (r *rails) CashOut(ctx context.Context, t RailTransfer, also func(ctx context.Context, records []ledger.Record) error) error {
	r.out = append(r.out, t)
	account := "rail/" + t.Rail + "/" + t.Unit
	_, err := r.book.Post(ctx, nil, ledger.Operation{ID: "open:" + account, Kind: ledger.Opening, From: account, Unit: t.Unit, Floor: ledger.Unbounded})
	if err != nil {
		return err
	}
	_, err = r.book.Post(ctx, also, ledger.Operation{ID: t.ID, Kind: ledger.Hold, From: t.Wallet, To: account, Amount: t.Amount, Unit: t.Unit, Expires: time.Now().Add(time.Hour), Data: t.Data},
		ledger.Operation{ID: feeID(t.ID), Kind: ledger.Hold, From: t.Wallet, To: t.FeeTo, Amount: t.Fee, Unit: t.Unit, Expires: time.Now().Add(time.Hour)})
	return err
}

func (r *rails) CashIn(ctx context.Context, t RailTransfer, also func(ctx context.Context, records []ledger.Record) error) (Step, error) {
	if was, err := r.payment(ctx, t.ID); err != nil || was != nil {
		return Step{"show", "*150#"}, err
	}
	return Step{"show", "*150#"}, r.db.Tx(ctx, func(ctx context.Context) error { return also(ctx, nil) })
}

func TestMoneyLeavesByARail(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		out := &rails{Service: b.Service, book: b.ledger}
		b.Use(out)
		i := karim.intent(intent.Cashout, "rail:momo:+212600000000", 10_000, func(i *intent.Intent) { i.Fee = 200 })
		answer, err := karim.pay(i)
		if err != nil || answer.Attr("state") != Waiting {
			t.Fatalf("%v (%v)", answer, err)
		}
		if again, err := karim.pay(i); err != nil || again.String() != answer.String() || len(out.out) != 1 {
			t.Errorf("asked again: %v (%v), sent %d times", again, err, len(out.out))
		}
		captured := func(ctx context.Context, records []ledger.Record) error {
			return b.Railed(ctx, RailChange{ID: i.ID, State: Done, Moved: 10_000}, records)
		}
		for range 2 {
			_, err = b.ledger.Post(t.Context(), captured, ledger.Operation{ID: "captured", Kind: ledger.Capture, Of: i.ID, Amount: 10_000}, ledger.Operation{ID: "captured:fee", Kind: ledger.Capture, Of: feeID(i.ID), Amount: 200})
			if err != nil {
				t.Fatal(err)
			}
		}
		answer, err = karim.pay(i)
		if err != nil {
			t.Fatal(err)
		}
		if r := b.receipt(answer); r.State != intent.Done || r.Amount != 10_000 || r.Fee != 200 {
			t.Errorf("%+v", r)
		}
		if err := b.db.Tx(t.Context(), func(ctx context.Context) error {
			return b.Railed(ctx, RailChange{ID: i.ID, State: Done, Moved: 10_000, Returned: 3_000}, nil)
		}); err != nil {
			t.Fatal(err)
		}
		found, err := b.ask(karim.account, false, element("lookup", "id", i.ID))
		if err != nil || found.Attr("refunded") != "3000" {
			t.Errorf("%v (%v)", found, err)
		}
		if told := b.told(karim.account); len(told) != 4 { // a key, it leaves, it is done, some came back
			t.Errorf("%d notices", len(told))
		}
	})
}

func TestARailRefuses(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.Use(&rails{Service: b.Service, book: b.ledger})
		i := karim.intent(intent.Cashout, "rail:momo:+212600000000", 10_000, func(i *intent.Intent) { i.Fee = 200 })
		if _, err := karim.pay(i); err != nil {
			t.Fatal(err)
		}
		voided := func(ctx context.Context, records []ledger.Record) error {
			return b.Railed(ctx, RailChange{ID: i.ID, State: Refused, Why: "no such number"}, records)
		}
		if _, err := b.ledger.Post(t.Context(), voided, ledger.Operation{ID: "voided", Kind: ledger.Void, Of: i.ID}, ledger.Operation{ID: "voided:fee", Kind: ledger.Void, Of: feeID(i.ID)}); err != nil {
			t.Fatal(err)
		}
		_, err := karim.pay(i)
		b.refused(err, "rail")
		w, err := b.ask(karim.account, false, element("wallet"))
		if err != nil || w.Child(NS, "limit").Attr("left") != "200000" || w.Child(NS, "balance").Attr("amount") != "100000" {
			t.Errorf("%v (%v)", w, err)
		}
		for _, payee := range []string{"rail:other:1", "rail:momo:", "rail:momo"} {
			_, err = karim.pay(karim.intent(intent.Cashout, payee, 10_000, func(i *intent.Intent) { i.Fee = 200 }))
			b.refused(err, "no-payee")
		}
		_, err = karim.pay(karim.intent(intent.Cashout, "rail:momo:1", 10_000))
		b.refused(err, "fee-changed")
	})
}

func TestMoneyComesInByARail(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.Use(&rails{Service: b.Service, book: b.ledger})
		id := fresh()
		in := element("cashin", "id", id, "rail", "momo", "amount", "5000", "unit", "MAD", "address", "+212600000000")
		for range 2 {
			if answer, err := b.ask(nadia.account, true, in); err != nil || answer.Local != "show" || answer.Attr("code") != "*150#" {
				t.Fatalf("%v (%v)", answer, err)
			}
		}
		_, err := b.ask(karim.account, true, in)
		b.refused(err, "id-taken")
		waits, err := b.ask(nadia.account, false, element("lookup", "id", id)) // also another of her devices knows what to do
		if err != nil || waits.Attr("way") != "unknown" || waits.Attr("since") != "2026-11-22T01:02:03Z" || waits.Child(NS, "show").Attr("code") != "*150#" {
			t.Errorf("%v (%v)", waits, err)
		}
		settled := func(ctx context.Context, records []ledger.Record) error {
			return b.Railed(ctx, RailChange{ID: id, State: Done, Moved: 5000}, records)
		}
		if _, err := b.ledger.Post(t.Context(), settled, ledger.Operation{ID: id, Kind: ledger.Transfer, From: IssueAccount("MAD"), To: WalletAccount("MAD", nadia.account), Amount: 5000, Unit: "MAD"}); err != nil {
			t.Fatal(err)
		}
		found, err := b.ask(nadia.account, false, element("history"))
		if err != nil || found.First().Attr("kind") != string(Cashin) || found.First().Attr("state") != Done {
			t.Errorf("%v (%v)", found, err)
		}
		b.has(nadia.account, "MAD", 5000, 0)
	})
}

func TestHistoryInPages(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		var ids []string
		for n := range 7 {
			i := karim.intent(intent.Send, "nadia@example", 100, func(i *intent.Intent) { i.For = fmt.Sprintf("Bread %d_%%", n) })
			if _, err := karim.pay(i); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, i.ID)
		}
		var seen []string
		for before := ""; ; before = seen[len(seen)-1] {
			page, err := b.ask(nadia.account, false, element("history", "max", "3", "before", before, "unit", "MAD"))
			if err != nil {
				t.Fatal(err)
			}
			for p := range page.Children() {
				seen = append([]string{}, append(seen, p.Attr("id"))...)
			}
			if page.Attr("more") == "" {
				break
			}
		}
		if len(seen) != len(ids) || seen[0] != ids[6] || seen[6] != ids[0] {
			t.Errorf("%v, made %v", seen, ids)
		}
		for q, want := range map[string]int{"bread": 7, "BREAD 3_%": 1, "karim": 7, "butter": 0, "3_%": 1, "%": 7, "_": 7} {
			page, err := b.ask(karim.account, false, element("history", "q", q))
			if n := len(page.Nodes); err != nil || n != want {
				t.Errorf("%q finds %d (%v), not %d", q, n, err, want)
			}
		}
		none, err := b.ask(karim.account, false, element("history", "until", "2020-01-01T00:00:00Z"))
		if err != nil || len(none.Nodes) != 0 {
			t.Errorf("%v (%v)", none, err)
		}
		for _, bad := range []*xmpp.Element{element("history", "since", "yesterday"), element("history", "max", "-1"), element("history", "q", strings.Repeat("a", 65))} {
			_, err := b.ask(karim.account, false, bad)
			b.refused(err, "bad-text")
		}
		if _, err := b.ask(xmpp.MustJID("soukaina@example"), false, element("history", "before", ids[0])); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("the place of another's payment: %v", err)
		}
	})
}

// TestHistoryOfAPeriod: what was paid from a time on and before another one, in pages too, however much came later.
func TestHistoryOfAPeriod(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		day := func(n int) time.Time { return time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC) }
		var ids []string
		for n := range 6 {
			ids = append(ids, karim.send("nadia@example", 100).ID)
			for _, table := range []string{"pay_payment", "pay_line"} { // the book has a clock of its own
				if _, err := b.db.Exec(t.Context(), "update "+table+" set time = $1 where id = $2", day(n).UnixMicro(), ids[n]); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, c := range []struct {
			since, until string
			want         []string // the newest first
		}{
			{intent.FormatTime(day(1)), intent.FormatTime(day(4)), []string{ids[3], ids[2], ids[1]}},
			{"", intent.FormatTime(day(3)), []string{ids[2], ids[1], ids[0]}},
			{intent.FormatTime(day(4)), "", []string{ids[5], ids[4]}},
			{intent.FormatTime(day(2)), intent.FormatTime(day(2)), nil},
		} {
			if seen := nadia.historyOf(c.since, c.until); !slices.Equal(seen, c.want) {
				t.Errorf("from %q until %q there are %v, not %v", c.since, c.until, seen, c.want)
			}
		}
	})
}

// historyOf is what was between two times, asked for in pages of two.
func (d *device) historyOf(since, until string) (ids []string) {
	d.Helper()
	for before := ""; ; before = ids[len(ids)-1] {
		page, err := d.ask(d.account, false, element("history", "since", since, "until", until, "before", before, "max", "2"))
		if err != nil {
			d.Fatal(err)
		}
		for p := range page.Children() {
			ids = append(ids, p.Attr("id"))
		}
		if page.Attr("more") == "" {
			return ids
		}
	}
}

func TestNoticesAreSentUntilTheyAreThere(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.told(nadia.account)
		b.net.mu.Lock()
		b.net.fail = errors.New("no network")
		b.net.mu.Unlock()
		first, second := karim.send("nadia@example", 1), karim.send("nadia@example", 2)
		before := len(b.told(nadia.account))
		b.net.mu.Lock()
		b.net.fail = nil
		b.net.mu.Unlock()
		b.later(noticeMost)
		told := b.told(nadia.account)[before:]
		if len(told) != 2 || told[0].Child(NS, "payment").Attr("id") != first.ID || told[1].Child(NS, "payment").Attr("id") != second.ID {
			t.Errorf("%v", told)
		}
		b.net.mu.Lock()
		b.net.fail = xmpp.ItemNotFound // nobody is there any more
		b.net.mu.Unlock()
		karim.send("nadia@example", 3)
		b.told(nadia.account)
		var left int64
		if err := b.db.QueryRow(t.Context(), "select count(*) from pay_notice").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d notices wait (%v)", left, err)
		}
	})
}

func TestAStartAgainIsTheSameService(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := openBank(t, db, testConfig())
		karim := b.newDevice("karim")
		b.fund(karim.account, "MAD", 1000)
		asked := karim.sign(karim.intent(intent.Send, "nadia@example", 1000))
		answer, err := b.ask(karim.account, true, asked)
		if err != nil {
			t.Fatal(err)
		}
		b.end()
		if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1000)); err == nil || !strings.Contains(err.Error(), "internal-server-error") {
			t.Errorf("while it is closed: %v", err)
		}
		b = openBank(t, db, testConfig())
		again, err := b.ask(karim.account, true, asked)
		if err != nil || again.String() != answer.String() {
			t.Errorf("%v (%v)", again, err)
		}
		b.receipt(again)
	})
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for why, change := range map[string]func(c *Config){
		"no domain":     func(c *Config) { c.Accounts = "" },
		"one domain":    func(c *Config) { c.Service = c.Accounts },
		"no unit":       func(c *Config) { c.Units = nil },
		"no level":      func(c *Config) { c.Levels = nil },
		"a bad unit":    func(c *Config) { c.Units[0].Code = "mad" },
		"a bad level":   func(c *Config) { c.Units[0].Limits[0].Level = "king" },
		"a bad fee":     func(c *Config) { c.Units[0].Fees[0].Share = 10_001 },
		"a level twice": func(c *Config) { c.Units[0].Limits[1].Level = "basic" },
		"a long delay":  func(c *Config) { c.NewDevice = 365 * day },
		"a bad link":    func(c *Config) { c.Link = "pay" },
		"no such unit":  func(c *Config) { c.Units[0].Code = "QQQ" },
	} {
		db := storetest.Open(t, storetest.SQLite)
		book, err := ledger.New(t.Context(), ledger.DefaultConfig(), db, log)
		if err != nil {
			t.Fatal(err)
		}
		cfg := testConfig()
		change(&cfg)
		if _, err := New(t.Context(), cfg, db, book, &net{}, log); err == nil {
			t.Errorf("%s is taken", why)
		}
		book.Close()
	}
}

func TestDaysAreForgotten(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		karim.send("nadia@example", 1)
		b.later((keptDays + 1) * day)
		karim.send("nadia@example", 1)
		if err := b.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int64
		if err := b.db.QueryRow(t.Context(), "select count(*) from pay_day").Scan(&left); err != nil || left != 1 {
			t.Errorf("%d days are left (%v)", left, err)
		}
	})
}
