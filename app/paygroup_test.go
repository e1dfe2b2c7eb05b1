package app

import (
	"strings"
	"testing"

	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// owe has somebody ask another for 5.00 in the group.
func owe(t *testing.T, payee *palabretest.Person, debtor string) {
	t.Helper()
	split := ask1("split").Set("id", payer.NewID()).Set("group", "house@groups.localhost").Set("total", "500").Set("unit", "MAD").
		Add(ask1("share").Set("jid", debtor).Set("amount", "500"))
	if got := request(t, payee, "set", split); got.Attr("type") != "result" {
		t.Fatalf("split: %s", got)
	}
}

// tellGroup asks the group for something, which it must do.
func tellGroup(t *testing.T, who *palabretest.Person, query string) {
	t.Helper()
	id := payer.NewID()
	who.Send(`<iq type='set' id='` + id + `' to='house@groups.localhost'>` + query + `</iq>`)
	for {
		if got := who.Receive(); got.Local == "iq" && got.Attr("id") == id {
			if got.Attr("type") != "result" {
				t.Fatalf("the group: %s", got)
			}
			return
		}
	}
}

// agrees has somebody agree, with a key of their own, to what they were shown.
func agrees(t *testing.T, who *palabretest.Person, account string, debts *xmpp.Element) {
	t.Helper()
	device, err := payer.New("pay.localhost", account)
	if err != nil {
		t.Fatal(err)
	}
	agree, err := device.Agree("house@groups.localhost", "MAD", debts)
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []*xmpp.Element{device.Register(), agree} {
		if got := request(t, who, "set", asked); got.Attr("type") != "result" {
			t.Fatalf("agree: %s", got)
		}
	}
}

// TestWhoIsInTheGroupSettlesUp has three members of a group, of whom two owe something, and somebody else who says that they owe something, too.
func TestWhoIsInTheGroupSettlesUp(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, payConfig(t, engine))
			romeo, juliet, nurse, mercutio := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/balcony"), r.test.Login(t, "nurse/home"), r.test.Login(t, "mercutio/street")
			romeo.Send(`<presence to='house@groups.localhost/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
			tellGroup(t, romeo, `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>`)
			tellGroup(t, romeo, `<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='member' jid='juliet@localhost'/><item affiliation='member' jid='nurse@localhost'/></query>`)
			for nick, who := range map[string]*palabretest.Person{"Juliet": juliet, "Nurse": nurse} { // they say yes
				tellGroup(t, who, `<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>`+
					`<field var='muc#register_roomnick'><value>`+nick+`</value></field></x></query>`)
			}
			owe(t, juliet, "romeo@localhost")
			owe(t, nurse, "juliet@localhost")
			owe(t, romeo, "mercutio@localhost")
			shown := ask1("debts").Set("group", "house@groups.localhost").Set("unit", "MAD")
			for name, who := range map[string]*palabretest.Person{"romeo": romeo, "juliet": juliet, "mercutio": mercutio} {
				agrees(t, who, name+"@localhost", request(t, who, "get", shown).Child(pay.NS, "debts"))
			}
			debts := request(t, nurse, "get", shown)
			var all []string
			for one := range debts.Child(pay.NS, "debts").Children() {
				all = append(all, strings.ReplaceAll(one.Attr("from")+" owes "+one.Attr("to"), "@localhost", ""))
			}
			if got := strings.Join(all, ", "); got != "romeo owes nurse" {
				t.Errorf("%s: %s", got, debts)
			}
		})
	}
}
