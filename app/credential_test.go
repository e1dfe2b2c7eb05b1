package app

import (
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// twoDevices are two sessions of an account, the second with a token to return by.
func twoDevices(t *testing.T, r *running, name string) (first, second *palabretest.Person, token string) {
	t.Helper()
	first = r.test.Login(t, name+"/first")
	second = r.test.Person(t, name+"/second")
	second.Connect()
	success := second.Authenticate(palabretest.Auth{Mechanism: sasl.ScramSHA256Plus, SASL2: true, Inline: agent +
		`<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='1'/></bind>`})
	if token = success.Child("urn:xmpp:fast:0", "token").Attr("token"); token == "" {
		t.Fatalf("no token: %s", success)
	}
	second.Expect(xmpp.NSStream, "features")
	return first, second, token
}

const agent = `<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>`

// isOut checks that a device was told to authenticate anew, and that neither its token nor the old password is good for that.
func isOut(t *testing.T, r *running, who *palabretest.Person, token string) {
	t.Helper()
	for {
		if e := who.Receive(); e.Is(xmpp.NSStream, "error") {
			if e.Child(xmpp.NSStreams, "reset") == nil {
				t.Errorf("told %s", e)
			}
			break
		}
	}
	who.Closed()
	back := r.test.Person(t, who.Name)
	back.Connect()
	if e := back.Authenticate(palabretest.Auth{Mechanism: "HT-SHA-256-EXPR", SASL2: true, Token: token, Inline: agent + `<fast xmlns='urn:xmpp:fast:0'/>`}); e.Local != "failure" {
		t.Errorf("the token is good still: %s", e)
	}
	if e := back.Authenticate(palabretest.Auth{Mechanism: sasl.ScramSHA256Plus}); e.Local != "failure" {
		t.Errorf("the old password is good still: %s", e)
	}
	if e := back.Authenticate(palabretest.Auth{Mechanism: sasl.ScramSHA256Plus, Password: "a new password"}); e.Local != "success" {
		t.Errorf("the new password is not good: %s", e)
	}
}

func TestANewPasswordEndsTheSessionsOfTheOldOne(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, testConfig(t, engine))
			own, other, token := twoDevices(t, r, "juliet")
			own.Send("<iq type='set' id='p'><query xmlns='jabber:iq:register'><username>juliet</username><password>a new password</password></query></iq>")
			if e := own.Receive(); e.Attr("type") != "result" {
				t.Errorf("change: %s", e)
			}
			isOut(t, r, other, token)
			own.Silent() // the device that changed it is there still

			first, second, token := twoDevices(t, r, "nurse")
			ask(t, r.cfg, "account/passwd", AccountArgs{Name: "nurse", Password: "a new password"}, &AccountResult{})
			isOut(t, r, second, token)
			first.Expect(xmpp.NSStream, "error")
			first.Closed()

			first, second, token = twoDevices(t, r, "mercutio")
			romeo := r.test.Login(t, "romeo/home")
			administer(t, romeo, "change-user-password", "accountjid=mercutio@localhost", "password=a new password")
			isOut(t, r, second, token)
			first.Expect(xmpp.NSStream, "error")
			administer(t, romeo, "change-user-password", "accountjid=romeo@localhost", "password=a new password")
			romeo.Silent() // an administrator's own
		})
	}
}

// TestASleepingSessionEndsWithItsPassword has a device out of reach that could resume.
func TestASleepingSessionEndsWithItsPassword(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	_, second, _ := twoDevices(t, r, "juliet")
	second.Drop()
	until(t, "it sleeps", func() bool {
		for _, session := range r.server.Sessions(xmpp.MustJID("juliet@localhost")) {
			if session.Dormant() {
				return true
			}
		}
		return false
	})
	ask(t, r.cfg, "account/passwd", AccountArgs{Name: "juliet", Password: "a new password"}, &AccountResult{})
	if n := len(r.server.Sessions(xmpp.MustJID("juliet@localhost"))); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// outdated has logged in as juliet, without a session, before her password was changed.
func outdated(t *testing.T, r *running) *palabretest.Person {
	t.Helper()
	who := r.test.Person(t, "juliet/home")
	if e := who.Authenticate(palabretest.Auth{Mechanism: sasl.ScramSHA256Plus}); e.Local != "success" {
		t.Fatal(e)
	}
	who.Open()
	ask(t, r.cfg, "account/passwd", AccountArgs{Name: "juliet", Password: "a new password"}, &AccountResult{})
	return who
}

// TestAPasswordChangesBetweenLoginAndBinding has no session begin with a password that is the old one by then.
func TestAPasswordChangesBetweenLoginAndBinding(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	juliet := outdated(t, r)
	juliet.Send("<iq type='set' id='b'><bind xmlns='" + xmpp.NSBind + "'/></iq>")
	if e := juliet.Expect(xmpp.NSStream, "error"); e.Child(xmpp.NSStreams, "reset") == nil {
		t.Errorf("told %s", e)
	}
	juliet.Closed()
	if n := r.server.CountSessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestAPasswordChangesBetweenLoginAndResumption has whoever knows only the old password not take over a session that began with the new one.
func TestAPasswordChangesBetweenLoginAndResumption(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	thief := outdated(t, r)
	juliet := r.test.Person(t, "juliet/home")
	success := juliet.Authenticate(palabretest.Auth{Mechanism: sasl.ScramSHA256Plus, SASL2: true, Password: "a new password", Inline: agent +
		`<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='1'/></bind>`})
	id := success.Child("urn:xmpp:bind:0", "bound").Child("urn:xmpp:sm:3", "enabled").Attr("id")
	if id == "" {
		t.Fatalf("not to be resumed: %s", success)
	}
	thief.Send("<resume xmlns='urn:xmpp:sm:3' h='0' previd='" + id + "'/>")
	if e := thief.Expect(xmpp.NSStream, "error"); e.Child(xmpp.NSStreams, "reset") == nil {
		t.Errorf("told %s", e)
	}
	thief.Closed()
	if n := r.server.CountSessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestInvitationsEndWhenTheirInviterIsDisabled(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, testConfig(t, engine))
			juliet := r.test.Login(t, "juliet/home")
			juliet.Send("<iq type='set' id='1' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>")
			form, err := xmpp.ParseForm(juliet.Receive().Child("http://jabber.org/protocol/commands", "command").Child(xmpp.NSData, "x"))
			if err != nil {
				t.Fatal(err)
			}
			web := form.Get("landing-url")
			client, base := r.browser()
			page := base + web[strings.Index(web, "/invite/"):]
			token := web[strings.LastIndex(web, "/")+1:]
			guest := r.test.Person(t, "guest") // has shown it before
			guest.Connect()
			guest.Open()
			preauth := "<iq type='set' id='t' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='" + token + "'/></iq>"
			guest.Send(preauth)
			if e := guest.Receive(); e.Attr("type") != "result" {
				t.Fatal(e)
			}
			void := func(when string) {
				t.Helper()
				if status, _ := fetch(t, client, page, ""); status != 404 {
					t.Errorf("%s: the page: %d", when, status)
				}
				if status, _ := fetch(t, client, page, "name=tybalt&password="+palabretest.Password); status != 404 {
					t.Errorf("%s: an account on the page: %d", when, status)
				}
				guest.Send(preauth)
				if e := guest.Receive(); e.Attr("type") != "error" {
					t.Errorf("%s: shown by an app: %s", when, e)
				}
				guest.Send("<iq type='set' id='r' to='localhost'><query xmlns='jabber:iq:register'><username>tybalt</username><password>" + palabretest.Password + "</password></query></iq>")
				if e := guest.Receive(); e.Attr("type") != "error" {
					t.Errorf("%s: an account by an app: %s", when, e)
				}
			}
			ask(t, r.cfg, "account/disable", AccountArgs{Name: "juliet"}, &AccountResult{})
			void("disabled")
			ask(t, r.cfg, "account/enable", AccountArgs{Name: "juliet"}, &AccountResult{})
			void("enabled again")
		})
	}
}

// TestAClosedAccountInvitesNobody has an invitation that was kept after its inviter's account was closed, or while it is being removed.
func TestAClosedAccountInvitesNobody(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	page := func(account *core.Account) string {
		link, err := r.invites.Invite(t.Context(), account, register.Invite{Account: true, Befriend: true})
		if err != nil {
			t.Fatal(err)
		}
		_, base := r.browser()
		return base + link.Web[strings.Index(link.Web, "/invite/"):]
	}
	client, _ := r.browser()
	for name, change := range map[string]string{"juliet": `update account set disabled = true where name = 'juliet'`, "nurse": `update account set removing = true where name = 'nurse'`} {
		account, err := r.accounts.Lookup(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		link := page(account)
		if status, _ := fetch(t, client, link, ""); status != 200 {
			t.Errorf("%s: %d before", name, status)
		}
		if _, err := r.db.Exec(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if status, _ := fetch(t, client, link, "name=tybalt&password="+palabretest.Password); status != 404 {
			t.Errorf("%s: %d", name, status)
		}
		if _, err := r.invites.Invite(t.Context(), account, register.Invite{Account: true, Befriend: true}); err == nil {
			t.Errorf("%s invites", name)
		}
	}
}
