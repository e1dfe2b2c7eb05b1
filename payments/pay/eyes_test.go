package pay

import (
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// TestANewAdministratorIsNoSecondPair has one administrator make another, or give one a password: whoever has the first one's session is then both.
func TestANewAdministratorIsNoSecondPair(t *testing.T) {
	closed(t, func(b *bank) {
		karim := b.newDevice("karim")
		issue := Proposal{Kind: Issue, Account: "karim@example", Unit: "MAD", Amount: 100}
		if err := b.Raise(t.Context(), romeo, xmpp.MustJID(juliet), "admin"); err != nil {
			t.Fatal(err)
		}
		ofRomeo, ofJuliet := b.propose(romeo, issue), b.propose(juliet, issue)
		for by, p := range map[string]Proposal{juliet: ofRomeo, romeo: ofJuliet} {
			_, err := b.Approve(t.Context(), by, p.ID)
			b.is(err, xmpp.NotAllowed)
		}
		b.has(karim.account, "MAD", 0, 0)
		if _, err := b.Approve(t.Context(), "paris@example", ofRomeo.ID); err != nil { // two others of before
			t.Fatal(err)
		}
		b.later(eyesDelay - time.Second)
		_, err := b.Approve(t.Context(), romeo, ofJuliet.ID)
		b.is(err, xmpp.NotAllowed)
		b.later(time.Second)
		if _, err := b.Approve(t.Context(), romeo, ofJuliet.ID); err != nil {
			t.Fatal(err)
		}
		b.has(karim.account, "MAD", 200, 0)
		if err := b.Raise(t.Context(), romeo, xmpp.MustJID(juliet), "password"); err != nil {
			t.Fatal(err)
		}
		ofRomeo = b.propose(romeo, issue)
		_, err = b.Approve(t.Context(), juliet, ofRomeo.ID)
		b.is(err, xmpp.NotAllowed)
		if err := b.Vouch(t.Context(), "command line", xmpp.MustJID(juliet)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Approve(t.Context(), juliet, ofRomeo.ID); err != nil {
			t.Fatal(err)
		}
		b.has(karim.account, "MAD", 300, 0)
		if err := b.Raise(t.Context(), romeo, xmpp.MustJID(romeo), "password"); err != nil { // their own is nobody else's
			t.Fatal(err)
		}
		if _, err := b.Approve(t.Context(), juliet, b.propose(romeo, issue).ID); err != nil {
			t.Fatal(err)
		}
		log, err := b.Audit(t.Context(), 0, MaxOffice)
		raised := 0
		for _, deed := range log {
			if deed.What == "raise-admin" && deed.Who == romeo && deed.Account == juliet || deed.What == "raise-password" || deed.What == "vouch-admin" && deed.Who == "command line" && deed.Account == juliet {
				raised++
			}
		}
		if err != nil || raised != 4 {
			t.Errorf("%+v, %v", log, err)
		}
	})
}
