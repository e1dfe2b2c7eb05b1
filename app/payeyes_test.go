package app

import (
	"strings"
	"testing"

	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// desks is a server with three administrators of long: romeo, who proposes, juliet and the nurse.
type desks struct {
	*running
	t     *testing.T
	romeo *palabretest.Person
}

func atDesks(t *testing.T, test func(o *desks)) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := payConfig(t, engine)
			cfg.Pay.Units = []pay.Unit{{Code: "MAD", Closed: true}}
			o := &desks{running: start(t, cfg), t: t}
			o.vouch("juliet")
			o.vouch("nurse")
			o.romeo = o.test.Login(t, "romeo/home")
			test(o)
		})
	}
}

// vouch makes somebody an administrator at the command line, whether they are one or not.
func (o *desks) vouch(name string) {
	o.t.Helper()
	ask(o.t, o.cfg, "account/admin", AccountArgs{Name: name}, &AccountResult{})
}

// does has romeo do something with an account.
func (o *desks) does(name, do string) *xmpp.Element {
	o.t.Helper()
	got := officer(o.t, o.romeo, "set", deskElement("account", "name", name, "do", do))
	if got.Attr("type") != "result" {
		o.t.Fatalf("%s of %s: %s", do, name, got)
	}
	return got
}

// approves has somebody approve what romeo proposes, and says whether they can.
func (o *desks) approves(when string, who *palabretest.Person, can bool) {
	o.t.Helper()
	made := officer(o.t, o.romeo, "set", deskElement("propose", "kind", "issue", "account", "mercutio@localhost", "unit", "MAD", "amount", "100").AddText("the fair")).Child(admin.NSDesk, "proposal")
	if made == nil {
		o.t.Fatal("not proposed")
	}
	got := officer(o.t, who, "set", deskElement("approve", "id", made.Attr("id")))
	if one := got.Child(admin.NSDesk, "proposal"); can && (one == nil || one.Attr("state") != "done") || !can && !strings.Contains(got.String(), "not-allowed") {
		o.t.Errorf("%s: %s", when, got)
	}
}

// page is where a link for a password leads, and gives the status of its answer to a new one.
func (o *desks) page(made *xmpp.Element) (takes func(password string) int) {
	o.t.Helper()
	link := made.Child(admin.NSDesk, "link")
	if link == nil {
		o.t.Fatalf("no link: %s", made)
	}
	web := link.Attr("web")
	return func(password string) int {
		client, base := o.browser()
		status, _ := fetch(o.t, client, base+web[strings.Index(web, "/password/"):], "password="+password)
		return status
	}
}

// deeds are the lines of the audit log about somebody, the newest first: who did what.
func (o *desks) deeds(account string) (all []string) {
	o.t.Helper()
	for deed := range officer(o.t, o.romeo, "get", deskElement("audit")).Child(admin.NSDesk, "audit").Children() {
		if deed.Attr("account") == account && !strings.HasPrefix(deed.Attr("what"), "propose") && !strings.HasPrefix(deed.Attr("what"), "approve") {
			all = append(all, deed.Attr("who")+" "+deed.Attr("what"))
		}
	}
	return all
}

// TestAPasswordByALink: whose password was set by a link that an administrator has made is no other pair of eyes for a day from then on, and not from when it was made.
func TestAPasswordByALink(t *testing.T) {
	atDesks(t, func(o *desks) {
		nurse := o.test.Login(t, "nurse/home")
		old, takes := o.page(o.does("nurse", "password")), o.page(o.does("nurse", "password"))
		o.approves("by a link that nobody has used", nurse, true)
		if old, short := old(palabretest.Password), takes("short"); old != 404 || short != 422 {
			t.Errorf("an older link %d, a password that is too short %d", old, short)
		}
		o.approves("by a password that was not taken", nurse, true)
		if status := takes(palabretest.Password); status != 200 {
			t.Fatalf("the link: %d", status)
		}
		nurse = o.test.Login(t, "nurse/thief")
		o.approves("by whoever has used the link", nurse, false)
		if status := takes(palabretest.Password); status != 404 {
			t.Errorf("once more: %d", status)
		}
		o.vouch("nurse")
		o.approves("whom the machine vouches for", nurse, true)
		want := []string{"command line vouch-admin", "romeo@localhost raise-password", "romeo@localhost password-link", "romeo@localhost password-link", "command line vouch-admin"}
		if got := o.deeds("nurse@localhost"); strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("the log: %q", got)
		}
		takes = o.page(o.does("nurse", "password"))
		ask(t, o.cfg, "account/disable", AccountArgs{Name: "romeo"}, &AccountResult{})
		if status := takes(palabretest.Password); status != 404 {
			t.Errorf("a link of a closed account's: %d", status)
		}
	})
}

// TestOneAdministratorKeepsNobodyFromApproving by what changes nothing; and what does is undone at the machine.
func TestOneAdministratorKeepsNobodyFromApproving(t *testing.T) {
	atDesks(t, func(o *desks) {
		juliet := o.test.Login(t, "juliet/home")
		o.does("juliet", "admin") // who is one already
		o.approves("who is an administrator of long", juliet, true)
		begun := officer(t, o.romeo, "set", xmpp.NewElement("http://jabber.org/protocol/commands", "command").Set("node", adminNode+"change-user-password")).First()
		filled := xmpp.NewForm("submit", "http://jabber.org/protocol/admin").Add("accountjid", "", "", "juliet@localhost").Add("password", "", "", "short")
		refused := xmpp.NewElement(begun.Space, "command", filled.Element()).Set("node", begun.Attr("node")).Set("sessionid", begun.Attr("sessionid"))
		if got := officer(t, o.romeo, "set", refused); got.Attr("type") != "error" {
			t.Fatalf("a password that is too short: %s", got)
		}
		o.approves("whose password is what it was", juliet, true)
		administer(t, o.romeo, "change-user-password", "accountjid=juliet@localhost", "password="+palabretest.Password)
		juliet = o.test.Login(t, "juliet/thief")
		o.approves("whose password romeo knows", juliet, false)
		o.does("nurse", "member")
		o.does("nurse", "admin")
		nurse := o.test.Login(t, "nurse/home")
		o.approves("who was made one again", nurse, false)
		o.vouch("juliet")
		o.vouch("nurse")
		o.approves("whom the machine vouches for", juliet, true)
		o.approves("whom the machine vouches for, too", nurse, true)
		if got := strings.Join(o.deeds("nurse@localhost"), ", "); got != "command line vouch-admin, romeo@localhost raise-admin, command line vouch-admin" {
			t.Errorf("the log: %s", got)
		}
	})
}
