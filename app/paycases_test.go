package app

import (
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
)

// disputed is the id of a dispute that somebody opens about a new payment.
func disputed(t *testing.T, who *palabretest.Person, device *payer.Device, payee string) string {
	t.Helper()
	paid, id := device.Send(payee, 10, "MAD", "Sardines"), payer.NewID()
	if got := request(t, who, "set", signed(t, device, paid)); got.Attr("type") != "result" {
		t.Fatalf("paid: %s", got)
	}
	if got := request(t, who, "set", ask1("dispute").Set("id", id).Set("of", paid.ID).Set("why", "twice").Set("amount", "10").AddText("once is enough")); got.Attr("type") != "result" {
		t.Fatalf("disputed: %s", got)
	}
	return id
}

// casesFrom is a page of disputes as an administrator gets it: their ids, the place to go on from, and whether there are more.
func casesFrom(t *testing.T, who *palabretest.Person, decided, before string) (ids []string, last string, more bool) {
	t.Helper()
	page := officer(t, who, "get", deskElement("cases", "decided", decided, "before", before)).Child(admin.NSDesk, "cases")
	if page == nil {
		t.Fatal("no page of disputes")
	}
	for one := range page.Children() {
		ids, last = append(ids, one.Attr("id")), one.Attr("place")
	}
	return ids, last, page.Attr("more") == "true"
}

// TestPagesOfDisputes has more disputes than a page holds. Each is there once, the newest first, whatever is opened and decided between two pages.
func TestPagesOfDisputes(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := payConfig(t, engine)
			often := pay.Rate{AtOnce: 1000, Every: time.Millisecond}
			cfg.Pay.Rates.Pay, cfg.Pay.Rates.Ask = often, often
			r := start(t, cfg)
			give(t, r.ledger, "juliet@localhost", 50_000)
			romeo := r.test.Login(t, "romeo/home")
			give(t, r.ledger, "nurse@localhost", 50_000)
			juliet, nurse, hers, others := buyerAndShop(t, r)
			var all []string
			for range deskPage/2 + 1 { // of each of them fewer are open than may be
				all = append(all, disputed(t, juliet, hers, "nurse@localhost"), disputed(t, nurse, others, "juliet@localhost"))
			}
			slices.Reverse(all)
			dismiss := func(ids ...string) {
				t.Helper()
				for _, id := range ids {
					if got := officer(t, romeo, "set", deskElement("dismiss", "id", id).AddText("two were sold")); got.Attr("type") != "result" {
						t.Fatalf("dismissed: %s", got)
					}
				}
			}
			page := func(decided, before string, want []string, wantMore bool) (last string) {
				t.Helper()
				got, last, more := casesFrom(t, romeo, decided, before)
				if !slices.Equal(got, want) || more != wantMore {
					t.Errorf("decided %q before %q: %d disputes, more %t, want %d, %t:\n%q\n%q", decided, before, len(got), more, len(want), wantMore, got, want)
				}
				return last
			}
			last := page("", "", all[:deskPage], true)
			late := disputed(t, juliet, hers, "nurse@localhost")
			dismiss(all[0])
			last = page("", last, all[deskPage:], false)
			page("", last, nil, false)
			page("", "", append([]string{late}, all[1:deskPage]...), true)
			page("true", "", all[:1], false)
			dismiss(append([]string{late}, all[1:]...)...)
			page("", "", nil, false)
			last = page("true", "", append([]string{late}, all[:deskPage-1]...), true)
			page("true", last, all[deskPage-1:], false)
			if got := officer(t, romeo, "get", deskElement("cases", "before", "the third")); got.Attr("type") != "error" {
				t.Errorf("before what is no place: %s", got)
			}
		})
	}
}
