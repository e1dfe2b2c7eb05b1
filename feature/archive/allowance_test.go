package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// refused reports whether an error asks to wait.
func refused(err error) bool {
	told, ok := errors.AsType[*xmpp.Error](err)
	return ok && told.Condition == "resource-constraint" && told.Type == "wait"
}

// TestAllowance spends: each account for itself, more after a while, and the memory of it is bounded.
func TestAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a allowance
		count := 0
		for a.begin(1) == nil {
			count++
		}
		if count != allowBurst/allowReserve {
			t.Errorf("%d requests of one account at once", count)
		}
		if err := a.begin(1); !refused(err) {
			t.Errorf("got %v", err)
		}
		if err := a.begin(2); err != nil {
			t.Errorf("another account: %v", err)
		}
		for range count {
			a.end(1, 0)
		}
		if err := a.begin(1); err != nil {
			t.Errorf("after requests that cost nothing: %v", err)
		}
		a.end(1, 3*allowBurst)
		if err := a.begin(1); !refused(err) {
			t.Errorf("got %v", err)
		}
		time.Sleep(3 * allowBurst / allowRate * time.Second)
		if err := a.begin(1); err != nil {
			t.Errorf("after a while: %v", err)
		}
		for i := range int64(maxSpenders + 100) {
			if err := a.begin(i + 10); err != nil {
				t.Fatal(err)
			}
		}
		if len(a.spent) > maxSpenders {
			t.Errorf("%d accounts are remembered", len(a.spent))
		}
	})
}

// TestCostlyQueries counts and searches by full address until the archive asks to wait; pages go on.
func TestCostlyQueries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo := w.device("romeo@localhost/a")
		for i := range 5 {
			romeo.say("juliet@localhost/x", fmt.Sprint(i))
		}
		account := &core.Account{ID: 1, JID: xmpp.MustJID("romeo@localhost")}
		ask := func(with, max string) (string, error) {
			query, err := xmpp.Parse("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"+
				"<field var='with'><value>"+with+"</value></field></x><set xmlns='http://jabber.org/protocol/rsm'><max>"+max+"</max></set></query>", xmpp.Scope{Default: xmpp.NSClient})
			if err != nil {
				t.Fatal(err)
			}
			transit := &core.Transit{Stanza: &xmpp.Stanza{Kind: xmpp.IQ}, Sender: account, Receiver: account}
			fin, err := w.archive.query(t.Context(), &core.Request{Transit: transit, Set: true, Payload: query, Account: account})
			if err != nil {
				return "", err
			}
			return fin.String(), nil
		}
		for with, want := range map[string]string{"juliet@localhost": "<count>5</count>", "mercutio@localhost": "<count>0</count>"} {
			if fin, err := ask(with, "0"); err != nil || !strings.Contains(fin, want) {
				t.Errorf("got %s, %v", fin, err)
			}
		}
		if fin, err := ask("juliet@localhost/x", "10"); err != nil || !strings.Contains(fin, "complete='true'") {
			t.Errorf("got %s, %v", fin, err)
		}
		w.archive.allowed.end(1, 2*allowBurst)
		for _, costly := range [][2]string{{"juliet@localhost", "0"}, {"juliet@localhost/x", "10"}} {
			if _, err := ask(costly[0], costly[1]); !refused(err) {
				t.Errorf("%v: %v", costly, err)
			}
		}
		if _, err := ask("juliet@localhost", "10"); err != nil {
			t.Errorf("a page: %v", err)
		}
	})
}

// TestFullAddressIsBounded looks for a full address in a long chat: no more than so many messages are looked at, and what was found among
// them is a page that can be continued.
func TestFullAddressIsBounded(t *testing.T) {
	w := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig())
	account, db := &core.Account{ID: 1, JID: xmpp.MustJID("romeo@localhost")}, w.archive.db
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		for i := range maxLooked + 1000 {
			from := "juliet@localhost/often"
			if i == maxLooked {
				from = "juliet@localhost/once"
			}
			stanza := "<message from='" + from + "' to='romeo@localhost'><body>x</body></message>"
			if err := w.archive.add(ctx, db.Next(), account.ID, contactID(xmpp.MustJID("juliet@localhost")), incoming, stanza); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	find := func(who string, last bool) (int, bool, error) {
		q := &request{With: xmpp.MustJID("juliet@localhost/" + who), Until: 1<<63 - 1, Page: xmpp.Page{Max: 10, Last: last}}
		found, complete, err := w.archive.find(t.Context(), account, q)
		return len(found), complete, err
	}
	if n, complete, err := find("once", true); n != 1 || complete || err != nil {
		t.Errorf("backwards: %d found, complete %v, %v", n, complete, err)
	}
	if _, _, err := find("once", false); !refused(err) {
		t.Errorf("forwards: %v", err)
	}
	if n, _, err := find("often", false); n != 10 || err != nil {
		t.Errorf("often: %d found, %v", n, err)
	}
}
