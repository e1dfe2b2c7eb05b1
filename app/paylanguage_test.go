package app

import (
	"strings"
	"testing"

	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// TestPeopleAreToldInTheirLanguage has romeo say in which language he asks, in each of the ways there are.
func TestPeopleAreToldInTheirLanguage(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	give(t, r.ledger, "juliet@localhost", 500_000)
	juliet, romeo := r.test.Login(t, "juliet/balcony"), r.test.Login(t, "romeo/home")
	romeo.Send(`<presence/>`)
	device, err := payer.New("pay.localhost", "juliet@localhost")
	if err != nil {
		t.Fatal(err)
	}
	if got := request(t, juliet, "set", device.Register()); got.Attr("type") != "result" {
		t.Fatalf("key: %s", got)
	}
	told := func() *xmpp.Element {
		signed, err := device.Pay(device.Send("romeo@localhost", 12_500, "MAD", "Sardines"))
		if err != nil {
			t.Fatal(err)
		}
		if got := request(t, juliet, "set", signed); got.Attr("type") != "result" {
			t.Fatalf("paid: %s", got)
		}
		for {
			if message := romeo.Receive(); message.Child(pay.NS, "notice").Child(pay.NS, "payment") != nil {
				return message
			}
		}
	}
	for _, one := range []struct{ asks, want string }{
		{"<iq type='get' id='1' to='pay.localhost' xml:lang='it'><about xmlns='urn:palabre:pay:0'/></iq>", "ti ha pagato 125,00\u00a0MAD (Sardines)."},
		{"<iq type='get' id='2' to='pay.localhost' xml:lang='it'><about xmlns='urn:palabre:pay:0' xml:lang='fr'/></iq>", "vous a payé 125,00\u00a0MAD (Sardines)."},
		{"<message type='chat' id='3' to='pay.localhost' xml:lang='sw'><body>Habari</body></message>", "amekulipa 125.00\u00a0MAD (Sardines)."},
	} {
		romeo.Send(one.asks)
		for romeo.Receive().Local != one.asks[1:strings.IndexByte(one.asks, ' ')] { // the answer, or the link
		}
		if got := told().ChildText(xmpp.NSClient, "body"); !strings.HasPrefix(got, "juliet "+one.want) {
			t.Errorf("after %s romeo is told %q", one.asks, got)
		}
	}
	client, base := r.browser()
	token := linkToken.FindStringSubmatch(told().ChildText(xmpp.NSClient, "body"))[1]
	response, err := client.Post(base+payPath+"ask", "application/json", strings.NewReader(`{"token":"`+token+`","lang":"hi"}`)) // as the page behind the link does
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if got := told(); !strings.HasPrefix(got.ChildText(xmpp.NSClient, "body"), "juliet ने आपको 125.00") || !strings.Contains(got.String(), "xml:lang='hi'") {
		t.Errorf("after he has looked at the page romeo is told %s", got)
	}
}
