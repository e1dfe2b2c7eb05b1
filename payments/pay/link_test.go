package pay

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// newLink is the token of a new link of somebody, about something.
func (b *bank) newLink(account xmpp.JID, kind, id string) string {
	return b.token(account, thing{kind, id}, b.now().Add(linkLife))
}

// byLink asks something by a link.
func (b *bank) byLink(token string, set bool, payload *xmpp.Element) (*xmpp.Element, error) {
	b.Helper()
	read, err := xmpp.Parse(payload.String(), xmpp.Scope{})
	if err != nil {
		b.Fatal(err)
	}
	return b.HandleLink(b.Context(), token, set, read)
}

func (d *device) guess(token, verifier string) error {
	d.Helper()
	_, err := d.byLink(token, true, element("unlock", "key", d.id, "verifier", b64.EncodeToString([]byte(verifier))))
	return err
}

// TestPINsAreNotGuessedByLinks: one link has four tries, all together have twelve, and the key of the owner knows nothing of it.
func TestPINsAreNotGuessedByLinks(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		var first string
		guesses, tried := 0, 0
		for range 20 {
			b.later(time.Second) // so that it is another link
			token := b.newLink(karim.account, linkRequest, id)
			if first == "" {
				first = token
			}
			for range 6 {
				tried++
				switch err := karim.guess(token, "guess"); conditionOf(err) {
				case "wrong-pin":
					guesses++
				case "wait":
				default:
					t.Fatal(err)
				}
				b.later(10 * time.Second) // it is no matter of how often one asks
			}
		}
		if guesses != linksGuesses-linksGuesses/linkGuesses { // the last wrong one of each says that one has to wait
			t.Errorf("%d of %d were looked at", guesses, tried)
		}
		b.refused(karim.guess(first, pin), "wait") // also the right one
		k, err := b.keyOf(t.Context(), karim.account, karim.id)
		if err != nil || k.wrong != 0 || k.waits != 0 {
			t.Errorf("the key counts %d, waits until %d (%v)", k.wrong, k.waits, err)
		}
		if err := karim.unlock(pin); err != nil {
			t.Errorf("the owner, in the app: %v", err)
		}
		if told := b.told(karim.account); len(told) != 2+linksGuesses/linkGuesses { // of the key and of the request, and of each link
			t.Errorf("he was told %d times", len(told))
		}
		if all, err := b.Watch(t.Context()); err != nil || len(all) != 1 || all[0].Kind != "link-guessing" || all[0].Account != "karim@example" || all[0].About != karim.id {
			t.Errorf("the operator sees %+v (%v)", all, err)
		}
		b.later(linkPause)
		fresh := b.newLink(karim.account, linkRequest, id)
		if err := karim.guess(fresh, pin); err != nil {
			t.Errorf("a day later: %v", err)
		}
		for range linkGuesses - 1 {
			b.refused(karim.guess(fresh, "guess"), "wrong-pin")
		}
		for range linksGuesses {
			b.later(10 * time.Second)
			_ = karim.guess(b.newLink(karim.account, linkRequest, id), "guess")
		}
		b.later(time.Second)
		last := b.newLink(karim.account, linkRequest, id)
		b.refused(karim.guess(last, pin), "wait")
		b.stay(karim.account, karim.id) // two say that it is his
		if err := karim.guess(last, pin); err != nil {
			t.Errorf("as the operator has said: %v", err)
		}
	})
}

// TestPINsByLinksOfAYear tries one whenever one may be tried, by as many links as it takes. Right ones in the app, and of a key that the thief has added, change nothing.
func TestPINsByLinksOfAYear(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.cfg.Rates = unhurried().Rates
		b.later(time.Hour) // what was asked before is worked off
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		own, begun, tried := b.newDevice("karim"), b.now(), 0
		for b.now().Sub(begun) < 365*day {
			k, err := b.keyOf(t.Context(), karim.account, karim.id)
			if err != nil {
				t.Fatal(err)
			}
			if wait := time.UnixMicro(k.links.waits).Sub(b.now()); wait > 0 {
				b.refused(karim.guess(b.newLink(karim.account, linkRequest, id), pin), "wait")
				karim.right()
				karim.send("nadia@example", 1) // its owner goes on
				b.later(wait)
				continue
			}
			b.later(time.Second) // so that it is another link
			token := b.newLink(karim.account, linkRequest, id)
			if err := karim.guess(token, "guess"); conditionOf(err) != "wrong-pin" && conditionOf(err) != "wait" {
				t.Fatal(err)
			}
			if err := own.guess(token, pin); err != nil {
				t.Fatal(err)
			}
			tried++
		}
		if tried != 27 {
			t.Errorf("%d were tried", tried)
		}
	})
}

// TestPINsByLinksBetweenRightOnes: somebody tries three whenever the owner of a key has given the right one by a link.
func TestPINsByLinksBetweenRightOnes(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.cfg.Rates = unhurried().Rates
		b.later(time.Hour) // what was asked before is worked off
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		token, tried := b.newLink(karim.account, linkRequest, id), 0
		for ; tried <= 2*wrongAtOnce; tried++ {
			if tried%3 == 0 {
				if err := karim.guess(token, pin); err != nil {
					t.Fatal(err)
				}
			}
			if conditionOf(karim.guess(token, "guess")) == "wait" {
				break
			}
		}
		if tried != wrongAtOnce {
			t.Errorf("%d were tried at once", tried)
		}
		b.refused(karim.guess(token, pin), "wait")
		karim.right() // the app goes on
		b.later(wrongEvery)
		if err := karim.guess(token, pin); err != nil {
			t.Error(err)
		}
	})
}

// TestPINsTriedAtOnceByLinksAreCounted tries them by many links at the same time.
func TestPINsTriedAtOnceByLinksAreCounted(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 10 {
			b.later(time.Second)
			token := b.newLink(karim.account, linkRequest, id)
			for range 4 {
				all.Go(func() {
					if err := karim.guess(token, "guess"); err == nil {
						t.Error("a guess was right")
					}
				})
			}
		}
		all.Wait()
		var wrong int64
		if err := b.db.QueryRow(t.Context(), "select cast(sum(wrong) as bigint) from pay_link").Scan(&wrong); err != nil || wrong != linksGuesses {
			t.Errorf("%d were looked at (%v)", wrong, err)
		}
	})
}

// TestALinkShowsOneThing: what one decides about, and nothing else of a wallet.
func TestALinkShowsOneThing(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		token := b.newLink(karim.account, linkRequest, id)
		quote := func(amount, of string) *xmpp.Element {
			return element("quote", "kind", "send", "payee", "nadia@example", "amount", amount, "unit", "MAD", "of", of)
		}
		for _, show := range []*xmpp.Element{element("about"), element("request", "id", id), element("wallet", "key", karim.id), quote("500", id)} {
			e, err := b.byLink(token, false, show)
			if err != nil {
				t.Errorf("%s: %v", show, err)
			} else if text := e.String(); show.Local != "about" && (strings.Contains(text, "balance") || strings.Contains(text, "100000") || strings.Contains(text, "phone")) {
				t.Errorf("%s shows %s", show, text)
			}
		}
		if w, err := b.byLink(token, false, element("wallet", "key", karim.id)); err != nil || w.Child(NS, "key").Attr("ready") == "" {
			t.Errorf("the key of the page: %v (%v)", w, err)
		}
		for _, hide := range []*xmpp.Element{quote("501", id), quote("500", ""), quote("90000", id), element("request", "id", fresh()), element("history"), element("requests"), element("mandates"),
			element("lookup", "id", fresh()), element("disputes")} {
			if _, err := b.byLink(token, false, hide); !errors.Is(err, xmpp.Forbidden) {
				t.Errorf("%s: %v", hide, err)
			}
		}
		for _, do := range []*xmpp.Element{element("freeze"), element("decline", "id", fresh()), element("order"), element("cashin"), karim.sign(karim.intent(intent.Send, "nadia@example", 500)),
			karim.sign(karim.intent(intent.Tip, "nadia@example", 500, func(i *intent.Intent) { i.Of = id }))} {
			if _, err := b.byLink(token, true, do); !errors.Is(err, xmpp.Forbidden) {
				t.Errorf("%s: %v", do, err)
			}
		}
		paid := b.newLink(karim.account, linkPayment, b.receiptID(karim)) // about something that is not to be paid
		for _, do := range []*xmpp.Element{karim.keyElement(pinKey), element("unlock", "key", karim.id, "verifier", b64.EncodeToString([]byte(pin)))} {
			for _, token := range []string{paid, b.newLink(karim.account, linkWallet, walletLink), b.newLink(nadia.account, linkRequest, id)} {
				if _, err := b.byLink(token, true, do); !errors.Is(err, xmpp.Forbidden) {
					t.Errorf("%s: %v", do.Local, err)
				}
			}
		}
		if w, err := b.byLink(b.newLink(karim.account, linkWallet, walletLink), false, element("wallet")); err != nil || w.Child(NS, "balance") == nil {
			t.Errorf("the link of the wallet: %v (%v)", w, err)
		}
	})
}

// receiptID is the id of a payment that was made.
func (b *bank) receiptID(d *device) string { return d.send("nadia@example", 1).ID }

// TestALinkOfABillShowsOnePart, which it pays.
func TestALinkOfABillShowsOnePart(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		bill := fresh()
		_, err := b.ask(nadia.account, true, element("split", "id", bill, "group", "friends@groups.example", "total", "900", "unit", "MAD").Add(
			element("share", "jid", "karim@example", "amount", "500"), element("share", "jid", "salma@example", "amount", "400")))
		if err != nil {
			t.Fatal(err)
		}
		token := b.newLink(karim.account, linkSplit, bill)
		e, err := b.byLink(token, false, element("split", "id", bill))
		if err != nil || strings.Contains(e.String(), "salma") || e.Child(NS, "share").Attr("amount") != "500" || e.Attr("payee") != "nadia@example" {
			t.Fatalf("%v (%v)", e, err)
		}
		part := e.Child(NS, "share").Attr("request")
		if _, err := b.byLink(token, false, element("quote", "kind", "send", "payee", "nadia@example", "amount", "500", "unit", "MAD", "of", part)); err != nil {
			t.Error(err)
		}
		_, err = b.byLink(token, true, karim.sign(karim.intent(intent.Send, "nadia@example", 500, func(i *intent.Intent) { i.Of = part })))
		if err != nil {
			t.Error(err)
		}
		b.has(nadia.account, "MAD", 500, 0)
	})
}

// TestAQuoteSaysWhatIsShort: whoever decides knows before whether it is enough.
func TestAQuoteSaysWhatIsShort(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		for amount, short := range map[string]string{"100000": "", "100001": "true"} {
			q, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", "nadia@example", "amount", amount, "unit", "MAD"))
			if err != nil || q.Attr("short") != short {
				t.Errorf("%s: %v (%v)", amount, q, err)
			}
		}
	})
}

// TestALinkIsNotInTheWayOfItsOwner: what is asked by links is counted apart, and leaves room for keys.
func TestALinkIsNotInTheWayOfItsOwner(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		token := b.newLink(karim.account, linkRequest, id)
		for n := range 2 * maxLinkKeys {
			if _, err := b.byLink(token, true, b.stranger("karim").keyElement(pinKey)); (err == nil) != (n < maxLinkKeys-1) {
				t.Fatalf("key %d: %v", n, err)
			}
		}
		b.newDevice("karim")
		for range b.cfg.Rates.Pay.AtOnce {
			if _, err := b.byLink(token, true, element("pay")); !errors.Is(err, xmpp.Forbidden) {
				t.Fatal(err)
			}
		}
		if _, err := b.byLink(token, true, element("pay")); conditionOf(err) != "wait" {
			t.Errorf("above the rate: %v", err)
		}
		karim.send("nadia@example", 1)
	})
}

// TestALinkIsOfOneKind has a payee who asks for money under the id of a payment that they have got: the payer's link about that payment pays nothing.
func TestALinkIsOfOneKind(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		id := b.receiptID(karim)
		if _, err := b.ask(nadia.account, true, element("request", "id", id, "payer", "karim@example", "amount", "500", "unit", "MAD")); err != nil {
			t.Fatal(err)
		}
		token := b.newLink(karim.account, linkPayment, id)
		if e, err := b.byLink(token, false, element("lookup", "id", id)); err != nil || e.Attr("kind") != "send" {
			t.Errorf("the payment: %v (%v)", e, err)
		}
		for _, hide := range []string{"request", "split"} {
			if _, err := b.byLink(token, false, element(hide, "id", id)); !errors.Is(err, xmpp.ItemNotFound) { // its page asks for them in turn
				t.Errorf("the %s: %v", hide, err)
			}
		}
		for _, do := range []*xmpp.Element{karim.sign(karim.intent(intent.Send, "nadia@example", 500, func(i *intent.Intent) { i.Of = id })), element("decline", "id", id),
			b.stranger("karim").keyElement(pinKey), element("unlock", "key", karim.id, "verifier", b64.EncodeToString([]byte(pin)))} {
			if _, err := b.byLink(token, true, do); !errors.Is(err, xmpp.Forbidden) {
				t.Errorf("%s: %v", do.Local, err)
			}
		}
		if _, err := b.byLink(strings.Replace(token, "."+linkPayment+".", "."+linkRequest+".", 1), false, element("about")); !errors.Is(err, ErrLink) {
			t.Errorf("a link of another kind: %v", err)
		}
		asked := b.newLink(karim.account, linkRequest, id)
		if _, err := b.byLink(asked, false, element("lookup", "id", id)); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("the payment by the link about the request: %v", err)
		}
		if _, err := b.byLink(asked, true, karim.sign(karim.intent(intent.Send, "nadia@example", 500, func(i *intent.Intent) { i.Of = id }))); err != nil {
			t.Error(err)
		}
		b.has(nadia.account, "MAD", 501, 0)
	})
}
