package app

import (
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// TestAPINIsForgotten: juliet has one device and does not know its PIN any more. Two of the operator's people keep no key; she makes a new one, and pays with it once it works.
func TestAPINIsForgotten(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			server, payments, cfg := closedBeside(t, engine)
			buyer, _, buys, _ := buyerAndShop(t, server)
			payments.forgets(t, buyer, buys)
			refusal := func(device *payer.Device, condition string) {
				t.Helper()
				if got := request(t, buyer, "set", signed(t, device, device.Send("nurse@localhost", 5000, "MAD", "A fish"))); !strings.Contains(got.String(), "<"+condition) {
					t.Errorf("not %s: %s", condition, got)
				}
			}
			refusal(buys, "frozen")
			juliet := PurseArgs{Account: "juliet@localhost", Why: "passport seen", As: "omar"}
			var p Purse
			if ask(t, cfg, "pay/wallet", PurseArgs{Account: juliet.Account}, &p); !p.Shut || p.Keys != 1 || p.Frozen.IsZero() {
				t.Errorf("after ten: %+v", p)
			}
			for do, words := range map[string]string{"open": "pay keep", "go-on": "which of their keys stay"} { // one alone cannot
				juliet.Do = do
				refusedAtShell(t, cfg, "pay/wallet", juliet, words)
			}
			var keys []pay.WalletKey
			if ask(t, cfg, "pay/keys", juliet, &keys); len(keys) != 1 || keys[0].Wrong != 10 || keys[0].Locked.IsZero() || keys[0].Opens {
				t.Errorf("keys: %+v", keys)
			}
			keepsNone := ProposalArgs{Kind: pay.KeepKeys, Account: juliet.Account, Why: "PIN forgotten, passport seen", As: "nadia"}
			var made []Proposal
			ask(t, cfg, "pay/propose", keepsNone, &made)
			refusedAtShell(t, cfg, "pay/approve", ProposalArgs{ID: made[0].ID, As: "nadia"}, "another administrator")
			if ask(t, cfg, "pay/approve", ProposalArgs{ID: made[0].ID, As: "omar"}, &made); made[0].State != pay.ProposalDone || made[0].Text != "none stays" {
				t.Errorf("approved: %+v", made)
			}
			refusal(buys, "no-key")
			second, err := payer.New("pay.localhost", "juliet@localhost")
			if err != nil {
				t.Fatal(err)
			}
			if got := request(t, buyer, "set", second.Register()); got.Attr("type") != "result" {
				t.Fatalf("key: %s", got)
			}
			refusal(second, "not-ready")
			payments.rewrite(t, "update pay_key set ready = $1 where ready > $1", time.Now().UnixMicro()) // as if new_device were over
			handsIn(t, buyer, second, second.Send("nurse@localhost", 5000, "MAD", "A fish"))
			purses(t, payments, 45_000, 5000)
			wroteDown(t, cfg, "command line (omar) approve-keys juliet@localhost", "command line (nadia) propose-keys juliet@localhost", "command line (omar) approve-issue juliet@localhost",
				"command line (nadia) propose-issue juliet@localhost")
		})
	}
}

// forgets gives ten wrong PINs of a device, as if the pause among them were over.
func (r *running) forgets(t *testing.T, who *palabretest.Person, device *payer.Device) {
	t.Helper()
	wrong := device.Unlock().Set("verifier", strings.Repeat("A", 43))
	var got *xmpp.Element
	for n := range 10 {
		if n == 5 {
			r.rewrite(t, "update pay_key set waits = 0 where waits > $1", time.Now().UnixMicro())
		}
		if got = request(t, who, "set", wrong); got.Attr("type") != "error" {
			t.Fatalf("a wrong PIN: %s", got)
		}
	}
	if !strings.Contains(got.String(), "<wait") {
		t.Fatalf("the tenth: %s", got)
	}
}

// rewrite changes what the database has.
func (r *running) rewrite(t *testing.T, query string, args ...any) {
	t.Helper()
	if n, err := r.db.Exec(t.Context(), query, args...); err != nil || n != 1 {
		t.Fatalf("%s: %d (%v)", query, n, err)
	}
}
