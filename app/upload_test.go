package app

import (
	"net/http"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
)

// TestUpload follows a slot to the HTTPS door and back.
func TestUpload(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	romeo := r.test.Login(t, "romeo/home")
	romeo.Send("<iq type='get' id='u' to='upload.localhost'><request xmlns='urn:xmpp:http:upload:0' filename='a.txt' size='5'/></iq>")
	slot := romeo.Receive().Child("urn:xmpp:http:upload:0", "slot")
	client, base := r.browser()
	at := func(what string) string {
		url := slot.Child("urn:xmpp:http:upload:0", what).Attr("url")
		path, ok := strings.CutPrefix(url, r.web())
		if !ok {
			t.Fatalf("%s is not under %s", url, r.web())
		}
		return base + path
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at("put"), strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	for header := range slot.Child("urn:xmpp:http:upload:0", "put").Children() {
		request.Header.Set(header.Attr("name"), header.Text())
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusCreated {
		t.Errorf("put: %d", response.StatusCode)
	}
	if status, body := fetch(t, client, at("get"), ""); status != 200 || body != "hello" {
		t.Errorf("get: %d %s", status, body)
	}
}
