package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

func TestOpenRegistrationIsLimitedByAddress(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Register.Open, cfg.Register.OpenPerDay = true, 2
	r := start(t, cfg)
	client, base := r.browser()
	if status, body := fetch(t, client, base+"/register", ""); status != 200 || !strings.Contains(body, "Make my account") {
		t.Errorf("page: %d %s", status, body)
	}
	for i, want := range []int{201, 201, 422} {
		status, body := fetch(t, client, base+"/register", fmt.Sprintf("name=stranger%d&password=%s", i, palabretest.Password))
		if status != want || want == 422 && !strings.Contains(body, "too many attempts") {
			t.Errorf("account %d: %d %s", i, status, body)
		}
	}
	r.test.Login(t, "stranger1/home").Close()
}

func TestClosedRegistrationHasNoPage(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	client, base := r.browser()
	if status, _ := fetch(t, client, base+"/register", ""); status != 404 {
		t.Errorf("%d", status)
	}
}

func TestGuessingTokensIsLimited(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Register.AttemptsPerHour = 3
	r := start(t, cfg)
	client, base := r.browser()
	for i, want := range []int{404, 404, 404, 429} {
		if status, _ := fetch(t, client, fmt.Sprintf("%s/invite/guess%d", base, i), ""); status != want {
			t.Errorf("guess %d: %d", i, status)
		}
	}
	guest := r.test.Person(t, "guest")
	guest.Connect()
	guest.Open()
	guest.Send("<iq type='set' id='1' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='guess'/></iq>")
	if answer := guest.Receive(); answer.Child(xmpp.NSClient, "error").Child(xmpp.NSStanzas, "resource-constraint") == nil {
		t.Errorf("the app's way is not limited: %v", answer)
	}
}

func TestMembersInviteSoManyInADay(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Register.InvitesPerDay = 2
	r := start(t, cfg)
	invite := func(who *palabretest.Person) *xmpp.Element {
		who.Send("<iq type='set' id='1' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>")
		return who.Receive()
	}
	juliet, romeo := r.test.Login(t, "juliet/home"), r.test.Login(t, "romeo/home") // romeo is an administrator
	for i, want := range []string{"result", "result", "error"} {
		if answer := invite(juliet); answer.Attr("type") != want {
			t.Errorf("invitation %d: %v", i, answer)
		}
		if answer := invite(romeo); answer.Attr("type") != "result" {
			t.Errorf("an administrator's invitation %d: %v", i, answer)
		}
	}
}

func TestNamesInInvitationsAreReserved(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	var named, other struct{ Web, URI string }
	ask(t, r.cfg, "invite", InviteArgs{Name: "Benvolio"}, &named)
	ask(t, r.cfg, "invite", InviteArgs{}, &other)
	if !strings.HasPrefix(named.URI, "xmpp:benvolio@localhost?register;preauth=") {
		t.Errorf("link %s", named.URI)
	}
	client, base := r.browser()
	page := func(web string) string { return base + web[strings.Index(web, "/invite/"):] }
	form := "name=benvolio&password=" + palabretest.Password
	if status, body := fetch(t, client, page(other.Web), form); status != 422 || !strings.Contains(body, "reserved") {
		t.Errorf("with another invitation: %d %s", status, body)
	}
	if status, body := fetch(t, client, page(named.Web), strings.Replace(form, "benvolio", "tybalt", 1)); status != 422 {
		t.Errorf("another name: %d %s", status, body)
	}
	if status, body := fetch(t, client, page(named.Web), form); status != 201 {
		t.Errorf("its own: %d %s", status, body)
	}
}

func TestFirstInvitationIsForAnAdministrator(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	r := start(t, cfg)
	if _, needed, err := r.FirstInvite(t.Context()); needed || err != nil {
		t.Errorf("with accounts: %v, %v", needed, err)
	}
	for _, name := range []string{"romeo", "juliet", "mercutio", "nurse"} {
		ask(t, cfg, "account/remove", AccountArgs{Name: name}, &AccountResult{})
	}
	old, needed, err := r.FirstInvite(t.Context())
	if err != nil || !needed {
		t.Fatal(needed, err)
	}
	if _, err := r.db.Exec(t.Context(), "update register_invite set desk = true where admin"); err != nil { // as one that waits where the server is updated
		t.Fatal(err)
	}
	link, _, err := r.FirstInvite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if open, err := r.invites.Open(t.Context(), 10); err != nil || len(open) != 1 || !open[0].Admin || open[0].Desk {
		t.Errorf("it is not the machine's: %+v (%v)", open, err)
	}
	client, base := r.browser()
	form := "name=admin&password=" + palabretest.Password // a reserved name, but an administrator's
	if status, _ := fetch(t, client, base+old.Web[strings.Index(old.Web, "/invite/"):], form); status != 404 {
		t.Errorf("an older one is good still: %d", status)
	}
	if status, body := fetch(t, client, base+link.Web[strings.Index(link.Web, "/invite/"):], form); status != 201 {
		t.Errorf("%d %s", status, body)
	}
	account, err := r.accounts.Lookup(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	if is, err := r.accounts.IsAdmin(t.Context(), account); !is || err != nil {
		t.Errorf("administrator: %v, %v", is, err)
	}
}

func TestInvitationsEndWithTheirTimeAndTheirInviter(t *testing.T) {
	r := start(t, testConfig(t, storetest.Postgres))
	expired, err := r.invites.Invite(t.Context(), nil, register.Invite{Account: true, Expires: time.Now().Add(-time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	juliet, err := r.accounts.Lookup(t.Context(), "juliet")
	if err != nil {
		t.Fatal(err)
	}
	orphan, err := r.invites.Invite(t.Context(), juliet, register.Invite{Account: true, Befriend: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.accounts.Remove(t.Context(), juliet, nil); err != nil {
		t.Fatal(err)
	}
	client, base := r.browser()
	for what, link := range map[string]register.Link{"expired": expired, "of a removed account": orphan} {
		if status, _ := fetch(t, client, base+link.Web[strings.Index(link.Web, "/invite/"):], ""); status != 404 {
			t.Errorf("%s: %d", what, status)
		}
	}
}

// TestOnlyAccountsCount has somebody choose passwords that are too short where registration is open: that is not an account a day less.
func TestOnlyAccountsCount(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Register.Open, cfg.Register.OpenPerDay = true, 1
	r := start(t, cfg)
	client, base := r.browser()
	for i, want := range []int{422, 422, 201, 422} {
		password := palabretest.Password
		if i < 2 {
			password = "short"
		}
		if status, body := fetch(t, client, base+"/register", fmt.Sprintf("name=new%d&password=%s", i, password)); status != want {
			t.Errorf("attempt %d: %d, want %d: %s", i, status, want, body)
		}
	}
}

// TestPasswordChangesAreBounded has an app change the password without end.
func TestPasswordChangesAreBounded(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	romeo := r.test.Login(t, "romeo")
	for i := range 21 {
		romeo.Send("<iq type='set' id='p'><query xmlns='jabber:iq:register'><username>romeo</username><password>" + palabretest.Password + "</password></query></iq>")
		if e, want := romeo.Expect(xmpp.NSClient, "iq"), i < 20; (e.Attr("type") == "result") != want {
			t.Fatalf("change %d: %s", i, e)
		}
	}
}

// TestNamesCanBeAskedFor has an app ask for names while somebody chooses one.
func TestNamesCanBeAskedFor(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Register.AttemptsPerHour = 8
	r := start(t, cfg)
	var link, held struct{ URI string }
	ask(t, r.cfg, "invite", InviteArgs{}, &link)
	ask(t, r.cfg, "invite", InviteArgs{Name: "benvolio"}, &held)
	guest := r.test.Person(t, "guest")
	guest.Connect()
	guest.Open()
	question := func(name string) *xmpp.Element {
		guest.Send("<iq type='get' id='1' to='localhost'><query xmlns='jabber:iq:register'><username>" + name + "</username></query></iq>")
		return guest.Receive().Child(xmpp.NSClient, "error")
	}
	if question("tybalt").Child(xmpp.NSStanzas, "not-allowed") == nil {
		t.Error("answered without an invitation")
	}
	guest.Send("<iq type='set' id='2' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='" + link.URI[strings.LastIndex(link.URI, "=")+1:] + "'/></iq>")
	if answer := guest.Receive(); answer.Attr("type") != "result" {
		t.Fatal(answer)
	}
	for name, want := range map[string]string{"Tybalt": "", "romeo": "conflict", "benvolio": "conflict", "admin": "conflict", "a b": "not-acceptable"} {
		answer := question(name)
		if want == "" && answer != nil || want != "" && answer.Child(xmpp.NSStanzas, want) == nil {
			t.Errorf("%s: %v", name, answer)
		}
	}
	for range 8 {
		if question("tybalt").Child(xmpp.NSStanzas, "resource-constraint") != nil {
			return
		}
	}
	t.Error("names can be asked for without end")
}
