package app

import (
	"net/http"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// admission asks for what lets another device in, and returns the id that this one has to take and its token.
func admission(t *testing.T, by *palabretest.Person) (client, token string) {
	t.Helper()
	by.Send("<iq type='set' id='link'><token xmlns='urn:palabre:link:0'/></iq>")
	given := by.Receive().Child("urn:palabre:link:0", "token")
	if given == nil || given.Attr("mechanism") != "HT-SHA-256-NONE" || given.Attr("expiry") == "" {
		t.Fatalf("got %s", given)
	}
	return given.Attr("client"), given.Attr("token")
}

// comes logs a device in with a token, and binds.
func comes(t *testing.T, r *running, name, client, token string) (*palabretest.Person, *xmpp.Element) {
	t.Helper()
	device := r.test.Person(t, name)
	return device, device.Authenticate(palabretest.Auth{Mechanism: "HT-SHA-256-NONE", SASL2: true, Token: token,
		Inline: "<user-agent id='" + client + "'><software>Palabre</software><device>the new one</device></user-agent><fast xmlns='urn:xmpp:fast:0'/><bind xmlns='urn:xmpp:bind:0'/>"})
}

// TestADeviceLetsAnotherIn goes the whole way: a letter through a box, a token, a session, a place in the list of devices.
func TestADeviceLetsAnotherIn(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, testConfig(t, engine))
			letters(t, r)
			juliet := r.test.Login(t, "juliet")
			client, token := admission(t, juliet)
			if _, e := comes(t, r, "romeo", client, token); e.Local != "failure" {
				t.Errorf("another account: %s", e)
			}
			fresh, e := comes(t, r, "juliet", client, token)
			if e.Local != "success" || e.Child("urn:xmpp:fast:0", "token") == nil || e.Child("urn:xmpp:bind:0", "bound") == nil {
				t.Fatalf("got %s", e)
			}
			fresh.Expect(xmpp.NSStream, "features")
			juliet.Send("<iq type='get' id='list'><list xmlns='urn:xmpp:cam:0'/></iq>")
			if list := juliet.Receive().String(); !strings.Contains(list, "the new one") {
				t.Errorf("the list is %s", list)
			}
			juliet.Send("<iq type='set' id='not' to='romeo@localhost'><token xmlns='urn:palabre:link:0'/></iq>")
			if e := juliet.Receive(); e.Attr("type") != "error" {
				t.Errorf("a token for another account: %s", e)
			}
		})
	}
}

// TestANewPasswordEndsAdmission has an owner change the password, because somebody else just let a device in.
func TestANewPasswordEndsAdmission(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	juliet := r.test.Login(t, "juliet")
	client, token := admission(t, juliet)
	juliet.Send("<iq type='set' id='p'><query xmlns='jabber:iq:register'><username>juliet</username><password>a new password</password></query></iq>")
	if e := juliet.Receive(); e.Attr("type") != "result" {
		t.Fatalf("change: %s", e)
	}
	if _, e := comes(t, r, "juliet", client, token); e.Local != "failure" {
		t.Errorf("let in all the same: %s", e)
	}
}

// letters leaves one in a box and takes it out.
func letters(t *testing.T, r *running) {
	t.Helper()
	client, base := r.browser()
	box := base + "/linking/0123456789abcdef/1"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, box, strings.NewReader("aGVsbG8"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close() != nil || response.StatusCode != http.StatusNoContent {
		t.Errorf("put: %d", response.StatusCode)
	}
	if status, body := fetch(t, client, box, ""); status != 200 || body != "aGVsbG8" {
		t.Errorf("get: %d %q", status, body)
	}
}
