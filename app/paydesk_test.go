package app

import (
	"strings"
	"testing"

	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// officer asks the desk of payments something.
func officer(t *testing.T, who *palabretest.Person, kind string, payload *xmpp.Element) *xmpp.Element {
	t.Helper()
	id := payer.NewID()
	who.Send(`<iq type='` + kind + `' id='` + id + `' to='localhost'>` + payload.String() + `</iq>`)
	for {
		if got := who.Receive(); got.Attr("id") == id {
			return got
		}
	}
}

// TestDeskOfPayments issues money by two administrators over the wire and from the command line, and reads every list of the page.
func TestDeskOfPayments(t *testing.T) {
	cfg := payConfig(t, storetest.SQLite)
	cfg.Pay.Units = []pay.Unit{{Code: "MAD", Closed: true}}
	cfg.Pay.FirstKey = 0 // wallets are filled before their people have a key
	r := start(t, cfg)
	ask(t, cfg, "account/admin", AccountArgs{Name: "juliet"}, &AccountResult{})
	romeo, juliet, nurse := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home"), r.test.Login(t, "nurse/home")
	issue := deskElement("propose", "kind", "issue", "account", "nurse@localhost", "unit", "MAD", "amount", "12500").AddText("the fair")
	if got := officer(t, nurse, "set", issue); got.Attr("type") != "error" {
		t.Errorf("anybody may propose: %s", got)
	}
	made := officer(t, romeo, "set", issue).Child(admin.NSDesk, "proposal")
	if made == nil || made.Attr("by") != "romeo@localhost" {
		t.Fatalf("proposed: %s", made)
	}
	approve := deskElement("approve", "id", made.Attr("id"))
	if got := officer(t, romeo, "set", approve); got.Attr("type") != "error" {
		t.Errorf("romeo has approved what he proposed: %s", got)
	}
	if got := officer(t, juliet, "set", approve).Child(admin.NSDesk, "proposal"); got == nil || got.Attr("state") != "done" || got.Attr("approver") != "juliet@localhost" {
		t.Fatalf("approved: %s", got)
	}
	var proposed []Proposal
	ask(t, cfg, "pay/propose", ProposalArgs{Kind: "correct", Of: "office-" + made.Attr("id"), Amount: 500, Why: "too much"}, &proposed)
	if got := officer(t, juliet, "set", deskElement("approve", "id", number(proposed[0].ID))); got.Attr("type") != "result" {
		t.Fatalf("approved: %s", got)
	}
	for _, one := range []struct{ asked, want string }{
		{`<money xmlns='urn:palabre:admin:0'/>`, `issued='12000'`},
		{`<proposals xmlns='urn:palabre:admin:0' decided='true'/>`, `by='command line'`},
		{`<purse xmlns='urn:palabre:admin:0' account='nurse@localhost'/>`, `balance='12000'`},
		{`<keys xmlns='urn:palabre:admin:0' account='nurse@localhost'/>`, `account='nurse@localhost'`},
		{`<suspicions xmlns='urn:palabre:admin:0'/>`, `<suspicions`},
		{`<cases xmlns='urn:palabre:admin:0'/>`, `<cases`},
		{`<journal xmlns='urn:palabre:admin:0' since='2020-01-01T00:00:00Z'/>`, `issue, proposed by romeo@localhost, approved by juliet@localhost: the fair`},
		{`<audit xmlns='urn:palabre:admin:0'/>`, `what='export'`},
	} {
		asked, err := xmpp.Parse(one.asked, xmpp.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if got := officer(t, romeo, "get", asked).String(); !strings.Contains(strings.ReplaceAll(got, `"`, `'`), one.want) {
			t.Errorf("%s: %s", one.asked, got)
		}
		if got := officer(t, nurse, "get", asked); got.Attr("type") != "error" || !strings.Contains(got.String(), "forbidden") {
			t.Errorf("%s: anybody may ask: %s", one.asked, got)
		}
	}
	stop := deskElement("purse", "account", "nurse@localhost", "do", "stop").AddText("asked by a court")
	if got := officer(t, romeo, "set", stop).Child(admin.NSDesk, "purse"); got == nil || got.Attr("stopped") != "true" {
		t.Errorf("stopped: %s", got)
	}
	if got := pays(t, nurse, "nurse@localhost", "juliet@localhost", 1); !strings.Contains(got.String(), "frozen") {
		t.Errorf("paid all the same: %s", got)
	}
	keys := officer(t, romeo, "get", deskElement("keys", "account", "nurse@localhost"))
	if key := keys.Child(admin.NSDesk, "keys").Child(admin.NSDesk, "key"); len(key.Attr("id")) < 16 || key.Attr("name") != "test" || key.Attr("kind") != "pin" || key.Attr("added") == "" ||
		key.Attr("ready") != key.Attr("added") || key.Attr("locked") != "" || key.Attr("opens") != "true" {
		t.Errorf("keys: %s", keys)
	}
}

// TestWhoWasMadeAnAdministratorNow has an administrator make a second one over the wire, and by an invitation: none of them approves.
func TestWhoWasMadeAnAdministratorNow(t *testing.T) {
	cfg := payConfig(t, storetest.SQLite)
	cfg.Pay.Units = []pay.Unit{{Code: "MAD", Closed: true}}
	r := start(t, cfg)
	ask(t, cfg, "account/admin", AccountArgs{Name: "nurse"}, &AccountResult{})
	romeo, juliet, nurse := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home"), r.test.Login(t, "nurse/home")
	propose := func() *xmpp.Element {
		made := officer(t, romeo, "set", deskElement("propose", "kind", "issue", "account", "mercutio@localhost", "unit", "MAD", "amount", "100").AddText("the fair")).Child(admin.NSDesk, "proposal")
		if made == nil {
			t.Fatal("not proposed")
		}
		return deskElement("approve", "id", made.Attr("id"))
	}
	if got := officer(t, romeo, "set", deskElement("account", "name", "juliet", "do", "admin")); got.Attr("type") != "result" {
		t.Fatalf("made an administrator: %s", got)
	}
	approve := propose()
	if got := officer(t, juliet, "set", approve); !strings.Contains(got.String(), "not-allowed") {
		t.Errorf("approved by who was made an administrator now: %s", got)
	}
	if got := officer(t, nurse, "set", approve).Child(admin.NSDesk, "proposal"); got == nil || got.Attr("state") != "done" {
		t.Fatalf("approved: %s", got)
	}
	client, base := r.browser()
	joins := func(web, name string) *palabretest.Person {
		if status, body := fetch(t, client, base+web[strings.Index(web, "/invite/"):], "name="+name+"&password="+palabretest.Password); status != 201 {
			t.Fatalf("%s: %d %s", name, status, body)
		}
		return r.test.Login(t, name+"/home")
	}
	invited := officer(t, romeo, "set", deskElement("invite", "admin", "true")).Child(admin.NSDesk, "invitation")
	if invited == nil {
		t.Fatal("nobody invited")
	}
	approve = propose()
	if got := officer(t, joins(invited.Attr("web"), "tybalt"), "set", approve); !strings.Contains(got.String(), "not-allowed") {
		t.Errorf("approved by who was invited by the other one: %s", got)
	}
	var link struct{ Web string }
	ask(t, cfg, "invite", InviteArgs{Admin: true}, &link)
	if got := officer(t, joins(link.Web, "paris"), "set", approve).Child(admin.NSDesk, "proposal"); got == nil || got.Attr("state") != "done" {
		t.Errorf("not approved by who was invited at the machine: %s", got)
	}
	if log := officer(t, romeo, "get", deskElement("audit")).String(); strings.Count(log, "raise-admin") != 2 {
		t.Errorf("the log: %s", log)
	}
}
