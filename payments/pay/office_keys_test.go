package pay

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// stay has two administrators say which keys stay.
func (b *bank) stay(account xmpp.JID, ids ...string) {
	b.Helper()
	p := b.propose(romeo, Proposal{Kind: KeepKeys, Account: account.String(), Of: strings.Join(ids, " ")})
	if p, err := b.Approve(b.Context(), juliet, p.ID); err != nil || p.State != ProposalDone {
		b.Fatalf("%+v (%v)", p, err)
	}
}

// TestTwoSayWhichKeysStay, and one alone cannot.
func TestTwoSayWhichKeysStay(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		tablet, lost := b.newDevice("karim"), b.newDevice("karim")
		unused := b.stranger("karim")
		if _, err := b.ask(unused.account, true, unused.keyElement(offlineKey)); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []Proposal{{Account: "karim@example", Of: nadia.id}, {Account: "karim@example/phone"}, {Account: "karim@elsewhere"}, {Account: "karim@example", Amount: 1}} {
			bad.Kind, bad.Why = KeepKeys, "why"
			if _, err := b.Propose(t.Context(), romeo, bad); err == nil {
				t.Errorf("%+v is proposed", bad)
			}
		}
		if _, err := b.Propose(t.Context(), "karim@example", Proposal{Kind: KeepKeys, Account: "karim@example", Why: "mine"}); !errors.Is(err, xmpp.NotAllowed) {
			t.Errorf("about one's own: %v", err)
		}
		p := b.propose(romeo, Proposal{Kind: KeepKeys, Account: "Karim@example", Of: tablet.id + " " + karim.id + " " + tablet.id})
		if _, err := b.Approve(t.Context(), romeo, p.ID); !errors.Is(err, xmpp.NotAllowed) {
			t.Errorf("one alone: %v", err)
		}
		karim.send("nadia@example", 1)
		thief := b.newDevice("karim") // after it was proposed
		for range 2 {
			_, _ = b.Approve(t.Context(), juliet, p.ID)
		}
		for _, gone := range []*device{lost, unused, thief} {
			b.refused(gone.unlock(pin), "no-key")
		}
		karim.send("nadia@example", 1)
		b.later(b.cfg.NewDevice)
		tablet.send("nadia@example", 1)
		left, err := b.Keys(t.Context(), karim.account)
		if err != nil || len(left) != 2 || left[0].Kind != pinKey || left[0].Name != "phone" || left[0].Wrong != 0 || !left[0].Locked.IsZero() {
			t.Errorf("%+v (%v)", left, err)
		}
		log, err := b.Audit(t.Context(), 0, MaxOffice)
		if err != nil || len(log) != 2 || log[0].Who != juliet || log[0].What != "approve-keys" || log[0].Account != "karim@example" || !strings.HasPrefix(log[0].About, "2 stay: ") ||
			!strings.Contains(log[0].About, tablet.id) || !strings.Contains(log[0].About, "the fair") || log[1].What != "propose-keys" {
			t.Errorf("%+v (%v)", log, err)
		}
		if told := b.told(karim.account); !slices.ContainsFunc(told, func(e *xmpp.Element) bool { return e.Child(NS, "wallet") != nil }) {
			t.Error("nobody has told him")
		}
	})
}

// TestWhichKeysStayIsSaidOfThoseThatAreThere: a proposal is not approved as another one, when a key that was to stay was dropped meanwhile.
func TestWhichKeysStayIsSaidOfThoseThatAreThere(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		second := b.newDevice("karim")
		b.later(b.cfg.NewDevice)
		one := b.propose(romeo, Proposal{Kind: KeepKeys, Account: "karim@example", Of: karim.id})
		both := b.propose(romeo, Proposal{Kind: KeepKeys, Account: "karim@example", Of: karim.id + " " + second.id})
		second.right()
		if err := second.order(intent.DropKey, karim.id); err != nil {
			t.Fatal(err)
		}
		b.freeze(karim.account)
		for _, p := range []Proposal{one, both} {
			if _, err := b.Approve(t.Context(), juliet, p.ID); !errors.Is(err, xmpp.ItemNotFound) {
				t.Errorf("%+v: %v", p, err)
			}
			if p, err := b.Decline(t.Context(), juliet, p.ID); err != nil || p.State != ProposalDeclined {
				t.Errorf("%+v (%v)", p, err)
			}
		}
		if p, err := b.Purse(t.Context(), karim.account); err != nil || p.Frozen.IsZero() || p.Keys != 1 {
			t.Errorf("%+v (%v)", p, err)
		}
		if err := second.order(intent.Unfreeze, ""); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatIsProposedAboutKeysEndsWithAnAccount, also where it has left nothing, and somebody else has the name now.
func TestWhatIsProposedAboutKeysEndsWithAnAccount(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.newDevice("salma")
		for account, keys := range map[string]int{"karim@example": 0, "salma@example": 1} {
			jid := xmpp.MustJID(account)
			p := b.propose(romeo, Proposal{Kind: KeepKeys, Account: account})
			if err := b.Leave(t.Context(), jid); err != nil {
				t.Fatal(err)
			}
			if keys > 0 {
				b.newDevice(jid.Local())
			}
			if _, err := b.Approve(t.Context(), juliet, p.ID); !errors.Is(err, xmpp.NotAllowed) {
				t.Errorf("%s: %v", account, err)
			}
			if all, err := b.Keys(t.Context(), jid); err != nil || len(all) != keys {
				t.Errorf("%s has %+v (%v)", account, all, err)
			}
			decided, err := b.Proposals(t.Context(), false, 0, 1)
			if err != nil || len(decided) != 1 || decided[0].ID != p.ID || decided[0].State != ProposalRefused || decided[0].Decided.IsZero() {
				t.Errorf("%s: %+v (%v)", account, decided, err)
			}
		}
	})
}

// TestAWalletWithoutAKeyGoesOn: nobody has a key that could pay from it.
func TestAWalletWithoutAKeyGoesOn(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		if err := karim.order(intent.DropKey, karim.id); err != nil {
			t.Fatal(err)
		}
		b.freeze(karim.account)
		if err := b.Stop(t.Context(), romeo, karim.account, false, "passport seen"); err != nil {
			t.Fatal(err)
		}
		if p, err := b.Purse(t.Context(), karim.account); err != nil || !p.Frozen.IsZero() {
			t.Errorf("%+v (%v)", p, err)
		}
		b.freeze(karim.account)
		b.newDevice("karim")
		b.stay(karim.account)
		if p, err := b.Purse(t.Context(), karim.account); err != nil || !p.Frozen.IsZero() {
			t.Errorf("%+v (%v)", p, err)
		}
	})
}
