package pay

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
	"pgregory.net/rapid"
)

// modelWallet is a wallet as one would explain it.
type modelWallet struct {
	*device
	offline        *device
	balance, purse int64
	spent          int64 // today
	frozen         bool
	unlocked       time.Time
	signed         int64 // since then
}

// modelAsked is what was asked for, and what was answered.
type modelAsked struct {
	by       *device
	from, to *modelWallet
	intent   *intent.Intent
	asked    *xmpp.Element
	answered string
	open     bool // a promise about which nothing is decided yet
}

// town is a few people with wallets in a service, and what they should have.
type town struct {
	*bank
	wallets []*modelWallet
	asked   []*modelAsked
	issued  int64
}

const modelCap = 12_000 // of a key for the pocket

// wallet opens a wallet with two keys.
func (w *town) add(name string) {
	d := w.newDevice(name)
	offline := w.stranger(name)
	if _, err := w.ask(offline.account, true, offline.keyElement(offlineKey)); err != nil {
		w.Fatal(err)
	}
	if err := d.order(intent.AllowOffline, intent.OfflineCap{Key: offline.id, Unit: "MAD", Cap: modelCap}.String()); err != nil {
		w.Fatal(err)
	}
	w.wallets = append(w.wallets, &modelWallet{device: d, offline: offline, unlocked: w.now()})
}

// why is why the rules refuse a payment, empty if they do not.
func (w *modelWallet) why(i *intent.Intent) string {
	unit := w.cfg.unit("MAD")
	limited := i.Kind == intent.Send || i.Kind == intent.Reserve
	switch {
	case i.Kind == intent.Offline && i.Amount > modelCap:
		return "over-limit"
	case limited && w.signed+i.Amount >= unit.StepUp && w.now().Sub(w.unlocked) > stepUpLife:
		return "step-up"
	case w.frozen:
		return "frozen"
	case limited && (i.Amount > unit.Limits[0].Transaction || w.spent+i.Amount > unit.Limits[0].Day):
		return "over-limit"
	case i.Kind == intent.Reserve && w.purse+i.Amount > unit.Offline:
		return "over-limit"
	case limited && i.Amount > w.balance, !limited && i.Amount > w.purse:
		return "insufficient"
	}
	return ""
}

// done is what a payment changes.
func (w *modelWallet) done(i *intent.Intent, payee *modelWallet) {
	if i.Kind == intent.Send || i.Kind == intent.Reserve {
		w.signed += i.Amount
	}
	switch i.Kind {
	case intent.Send:
		w.balance, w.spent = w.balance-i.Amount, w.spent+i.Amount
		payee.balance += i.Amount
	case intent.Reserve:
		w.balance, w.purse, w.spent = w.balance-i.Amount, w.purse+i.Amount, w.spent+i.Amount
	case intent.Release:
		w.balance, w.purse = w.balance+i.Amount, w.purse-i.Amount
	case intent.Offline:
		w.purse -= i.Amount
		payee.balance += i.Amount
	}
}

// answered is an answer or an error as text, an error's reason, and whether it decides nothing.
func answered(answer *xmpp.Element, err error) (text, why string, open bool) {
	var wire *xmpp.Error
	if errors.As(err, &wire) {
		return wire.Element().String(), whyOf(wire), wire.Type == "wait"
	}
	return answer.String(), "", false
}

// handIn hands in what was asked for and not decided: a promise by its payer or its payee. It checks that what comes of it is what the rules say.
func (w *town) handIn(t *rapid.T, a *modelAsked) {
	i, by, promise := a.intent, a.from, a.intent.Kind == intent.Offline
	if promise && rapid.Bool().Draw(t, "by its payee") {
		by = a.to
	}
	want := a.from.why(i)
	if !w.now().Before(i.Expires) {
		want = "expired"
	}
	text, why, open := answered(w.ask(by.account, true, a.asked))
	if why != want || open != (promise && why != "" && why != "expired") {
		t.Fatalf("%s of %d: %q (not decided: %v), the rules say %q", i.Kind, i.Amount, why, open, want)
	}
	if why == "" {
		a.from.done(i, a.to)
	}
	a.answered, a.open = text, open || why == "expired" && by != a.to // its payer's refusals are not kept
}

// pay asks for a payment, and checks that what comes of it is what the rules say.
func (w *town) pay(t *rapid.T, kind intent.Kind) {
	payer, payee := rapid.IntRange(0, len(w.wallets)-1).Draw(t, "payer"), 0
	one := w.wallets[payer]
	to, by := one, one.device
	if kind == intent.Send || kind == intent.Offline {
		payee = (payer + rapid.IntRange(1, len(w.wallets)-1).Draw(t, "further")) % len(w.wallets)
		to = w.wallets[payee]
	}
	if kind == intent.Offline {
		by = one.offline
	}
	most := map[intent.Kind]int64{intent.Send: 110_000, intent.Reserve: 21_000, intent.Release: 21_000, intent.Offline: 13_000}[kind]
	i := by.intent(kind, to.account.String(), rapid.Int64Range(1, most).Draw(t, "amount"))
	a := &modelAsked{by: by, from: one, to: to, intent: i, asked: by.sign(i)}
	w.handIn(t, a)
	w.asked = append(w.asked, a)
}

// replay asks again what was asked for before: as it was, or something else under its id.
func (w *town) replay(t *rapid.T) {
	if len(w.asked) == 0 {
		return
	}
	was := w.asked[rapid.IntRange(0, len(w.asked)-1).Draw(t, "which")]
	if was.open {
		w.handIn(t, was)
		return
	}
	if rapid.Bool().Draw(t, "altered") {
		other := *was.intent
		other.Amount++
		if _, why, _ := answered(was.by.pay(&other)); why != "id-taken" {
			t.Fatalf("another content under an id: %q", why)
		}
		return
	}
	if text, _, _ := answered(w.ask(was.by.account, true, was.asked)); text != was.answered {
		t.Fatalf("asked again: %s, before: %s", text, was.answered)
	}
}

// happen does one thing.
func (w *town) happen(t *rapid.T) {
	one := w.wallets[rapid.IntRange(0, len(w.wallets)-1).Draw(t, "who")]
	switch what := rapid.SampledFrom([]string{"send", "send", "send", "reserve", "release", "offline", "replay", "replay", "freeze", "unfreeze", "unlock", "fund", "fund", "day"}).Draw(t, "what"); what {
	case "replay":
		w.replay(t)
	case "freeze":
		if _, err := w.ask(one.account, true, element("freeze")); err != nil {
			t.Fatal(err)
		}
		one.frozen = true
	case "unfreeze":
		err := one.order(intent.Unfreeze, "")
		if old := w.now().Sub(one.unlocked) > stepUpLife; old != (conditionOf(err) == "step-up") || !old && err != nil {
			t.Fatalf("opened, %s after the PIN: %v", w.now().Sub(one.unlocked), err)
		} else if !old {
			one.frozen = false
		}
	case "unlock":
		if err := one.unlock(pin); err != nil {
			t.Fatal(err)
		}
		one.unlocked, one.signed = w.now(), 0
	case "fund":
		amount := rapid.Int64Range(1, 100_000).Draw(t, "amount")
		w.fund(one.account, "MAD", amount)
		one.balance += amount
		w.issued += amount
	case "day":
		w.later(day)
		for _, each := range w.wallets {
			each.spent = 0
		}
	default:
		w.pay(t, intent.Kind(what))
	}
}

// check compares what everybody has.
func (w *town) check(t *rapid.T) {
	var sum int64
	for _, one := range w.wallets {
		for name, want := range map[string]int64{WalletAccount("MAD", one.account): one.balance, PocketAccount("MAD", one.account): one.purse} {
			a, err := w.stands(w.Context(), name)
			if err != nil || a.Balance != want {
				t.Fatalf("%s stands at %d (%v), not at %d", name, a.Balance, err, want)
			}
			sum += a.Balance
		}
	}
	if sum != w.issued {
		t.Fatalf("%d are in wallets, %d were issued", sum, w.issued)
	}
}

// TestLikeTheModel lets people pay, freeze and repeat at random, and compares each answer and each balance with the rules. PAY_PAYMENTS is how many things happen in
// the long mode.
func TestLikeTheModel(t *testing.T) {
	for engine, steps := range map[string]int{storetest.SQLite: 40, storetest.Postgres: 5} {
		if text := os.Getenv("PAY_PAYMENTS"); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			steps = n / 100 // rapid makes 100 towns
		}
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := openBank(t, storetest.Open(t, engine), unhurried())
			towns := 0
			var w *town
			rapid.Check(t, func(rt *rapid.T) {
				if towns++; w == nil || engine == storetest.SQLite { // where a new one takes long the town goes on
					w = &town{bank: b}
					for n := range 3 {
						w.add(fmt.Sprintf("p%d-%d", n, towns))
					}
				}
				for range steps {
					w.happen(rt)
					if rt.Failed() {
						return
					}
				}
				w.check(rt)
			})
			b.even()
			balanced(t, b)
		})
	}
}

// balanced checks that all balances of the ledger together are zero.
func balanced(t *testing.T, b *bank) {
	t.Helper()
	names := []string{IssueAccount("MAD"), FeesAccount("MAD")}
	rows, err := b.db.Query(t.Context(), "select distinct account from pay_key")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var account string
		if err := rows.Scan(&account); err != nil {
			t.Fatal(err)
		}
		names = append(names, WalletAccount("MAD", xmpp.MustJID(account)), PocketAccount("MAD", xmpp.MustJID(account)))
	}
	var sum int64
	for _, name := range names {
		var a ledger.Account
		if a, err = b.stands(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		sum += a.Balance
	}
	if sum != 0 {
		t.Errorf("all accounts together stand at %d", sum)
	}
}
