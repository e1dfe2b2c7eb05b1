package app

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

const adminNode = "http://jabber.org/protocol/admin#"

// administer runs an administrator's command, with the fields of its form as name=value, and returns the answer.
func administer(t *testing.T, who *palabretest.Person, node string, fields ...string) (form *xmpp.Form, note string) {
	t.Helper()
	return administerNode(t, who, adminNode+node, fields...)
}

func administerNode(t *testing.T, who *palabretest.Person, node string, fields ...string) (form *xmpp.Form, note string) {
	t.Helper()
	const ns = "http://jabber.org/protocol/commands"
	send := func(e *xmpp.Element) *xmpp.Element {
		who.SendStanza((&xmpp.Stanza{Kind: xmpp.IQ, Type: "set", ID: "c", To: xmpp.MustJID("localhost")}).Add(e))
		answer := who.Receive()
		if answer.Attr("type") != "result" {
			t.Fatalf("%s: %v", node, answer)
		}
		return answer.Child(ns, "command")
	}
	answer := send(xmpp.NewElement(ns, "command").Set("node", node))
	if answer.Attr("status") == "executing" {
		filled := xmpp.NewForm("submit", "http://jabber.org/protocol/admin")
		for _, field := range fields {
			name, values, _ := strings.Cut(field, "=")
			filled.Add(name, "", "", strings.Split(values, ",")...)
		}
		answer = send(xmpp.NewElement(ns, "command", filled.Element()).Set("node", node).Set("sessionid", answer.Attr("sessionid")))
	}
	if x := answer.Child(xmpp.NSData, "x"); x != nil {
		var err error
		if form, err = xmpp.ParseForm(x); err != nil {
			t.Fatal(err)
		}
	}
	return form, answer.ChildText(ns, "note")
}

func TestAdministratorsCommands(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home")
	if form, _ := administer(t, romeo, "get-registered-users-num"); form.Get("registeredusersnum") != "4" {
		t.Errorf("accounts: %+v", form)
	}
	if form, _ := administer(t, romeo, "get-online-users-num"); form.Get("onlineusersnum") != "2" {
		t.Errorf("online: %+v", form)
	}
	if form, _ := administer(t, romeo, "get-active-users-num"); form.Get("activeusersnum") != "0" {
		t.Errorf("active: %+v", form)
	}
	form, _ := administer(t, romeo, "get-registered-users-list")
	if got := form.Field("registereduserjids").Values; !slices.Equal(got, []string{"juliet@localhost", "mercutio@localhost", "nurse@localhost", "romeo@localhost"}) {
		t.Errorf("list: %v", got)
	}
	if form, _ := administer(t, romeo, "user-stats", "accountjid=juliet@localhost"); !slices.Equal(form.Field("onlineresources").Values, []string{"home"}) {
		t.Errorf("sessions: %+v", form)
	}
	if form, _ := administer(t, romeo, "get-user-lastlogin", "accountjids=nurse@localhost,juliet@localhost"); len(form.Field("lastlogin").Values) != 2 || form.Get("lastlogin") != "never" {
		t.Errorf("last login: %+v", form)
	}
	administer(t, romeo, "change-user-password", "accountjid=nurse@localhost", "password=a new password")
	if credentials, _, err := r.accounts.Credentials(t.Context(), "nurse"); err != nil || !credentials[0].Matches("a new password") {
		t.Errorf("password: %v", err)
	}
	if _, note := administer(t, romeo, "end-user-session", "accountjids=juliet@localhost/home"); note != "1 sessions ended" {
		t.Errorf("end: %s", note)
	}
	juliet.Expect(xmpp.NSStream, "error")
	juliet.Closed()
	if _, note := administer(t, romeo, "delete-user", "accountjids=juliet@localhost,nurse@localhost,Juliet@localhost/home"); note != "2 deleted" {
		t.Errorf("delete: %s", note)
	}
	if _, err := r.accounts.Lookup(t.Context(), "nurse"); !errors.Is(err, core.ErrNoAccount) {
		t.Errorf("deleted: %v", err)
	}
}
