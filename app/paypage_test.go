package app

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// asked puts a request to the page, and is the status and the answer.
func (r *running) asked(t *testing.T, token string, set bool, ask any) (int, payTree) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"token": token, "set": set, "ask": ask})
	if err != nil {
		t.Fatal(err)
	}
	browser, base := r.browser()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+payPath+"ask", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer payTree
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return response.StatusCode, answer
}

// tree is a request as the page writes it.
func tree(name string, pairs ...string) payTree {
	one := payTree{Name: name, Attrs: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		one.Attrs[pairs[i]] = pairs[i+1]
	}
	return one
}

var linkToken = regexp.MustCompile(`/payment/#(\S+)`)

func TestThePageBehindALink(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	give(t, r.ledger, "juliet@localhost", 50_000)
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/balcony")
	juliet.Send(`<presence/>`)
	id := payer.NewID()
	request(t, romeo, "set", ask1("request").Set("id", id).Set("payer", "juliet@localhost").Set("amount", "700").Set("unit", "MAD").Set("for", "Bread"))
	body := ""
	for body == "" {
		body = juliet.Receive().ChildText(xmpp.NSClient, "body")
	}
	found := linkToken.FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("she reads %q", body)
	}
	token := found[1]
	if status, got := r.asked(t, token, false, nil); status != http.StatusOK || got.Attrs["account"] != "juliet@localhost" || got.Attrs["about"] != id {
		t.Errorf("the link is about %d %+v", status, got)
	}
	if _, got := r.asked(t, token, false, tree("request", "id", id)); got.Attrs["amount"] != "700" {
		t.Errorf("the request is %+v", got)
	}
	for name, ask := range map[string]payTree{"history": tree("history"), "order": tree("order"), "another request": tree("request", "id", payer.NewID()), "freeze": tree("freeze"),
		"a strange name": tree("a b"), "a strange attribute": tree("wallet", "x='", "y"), "another payment": tree("pay"),
		"another quote": tree("quote", "kind", "send", "payee", "romeo@localhost", "amount", "50000", "unit", "MAD", "of", id)} {
		for _, set := range []bool{false, true} {
			if _, got := r.asked(t, token, set, ask); got.Name != "error" {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	if _, got := r.asked(t, token, false, tree("wallet", "key", "x")); got.Name != "wallet" || len(got.Children) > 0 || len(got.Attrs) > 0 {
		t.Errorf("the link shows of the wallet %+v", got)
	}
	if _, got := r.asked(t, token, false, tree("quote", "kind", "send", "payee", "romeo@localhost", "amount", "700", "unit", "MAD", "of", id)); got.Name != "quote" || got.Attrs["short"] != "" {
		t.Errorf("the quote is %+v", got)
	}
	end := strings.LastIndexByte(token, '.')
	for _, bad := range []string{"", "x", token[:len(token)-1], strings.Replace(token, id, "wallet", 1), token[:end] + ".AAAA", "." + token[end:]} {
		if status, _ := r.asked(t, bad, false, nil); status != http.StatusForbidden {
			t.Errorf("the token %q: %d", bad, status)
		}
	}
	payFromPage(t, r, token, id)
	if got := request(t, romeo, "get", ask1("wallet")); got.First().Child(pay.NS, "balance").Attr("amount") != "700" {
		t.Errorf("romeo has %s", got)
	}
}

// payFromPage pays juliet's request as the page does, and nothing else with the same link.
func payFromPage(t *testing.T, r *running, token, id string) {
	t.Helper()
	device, err := payer.New("pay.localhost", "juliet@localhost")
	if err != nil {
		t.Fatal(err)
	}
	if _, got := r.asked(t, token, true, treeOf(device.Register(), maxPayDepth)); got.Name != "wallet" || len(got.Children) != 1 || got.Children[0].Attrs["name"] != "" {
		t.Fatalf("key: %+v", got)
	}
	wanted := device.Send("romeo@localhost", 700, "MAD", "Bread")
	signed, err := device.Pay(wanted)
	if err != nil {
		t.Fatal(err)
	}
	if _, got := r.asked(t, token, true, treeOf(signed, maxPayDepth)); got.Name != "error" {
		t.Errorf("something else was paid with the link: %+v", got)
	}
	wanted.Of = id
	if signed, err = device.Pay(wanted); err != nil {
		t.Fatal(err)
	}
	if _, got := r.asked(t, token, true, treeOf(signed, maxPayDepth)); got.Name != "receipt" {
		t.Errorf("paid: %+v", got)
	}
}

func TestThePageItself(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	browser, base := r.browser()
	for path, kind := range map[string]string{"": "text/html", "page.js": "text/javascript", "keys.js": "text/javascript", "words.js": "text/javascript", "page.css": "text/css", "icon.svg": "image/svg+xml"} {
		response, err := browser.Get(base + payPath + path)
		if err != nil {
			t.Fatal(err)
		}
		policy := response.Header.Get("Content-Security-Policy")
		if response.Body.Close(); response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), kind) || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%q: %d %v", path, response.StatusCode, response.Header)
		}
	}
}

func TestWhoeverWritesToTheServiceIsSentALink(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	juliet := r.test.Login(t, "juliet/balcony")
	juliet.Send(`<presence/>`)
	juliet.Send(`<message type='chat' id='m1' to='pay.localhost'><body>link, please</body></message>`)
	for {
		if found := linkToken.FindStringSubmatch(juliet.Receive().ChildText(xmpp.NSClient, "body")); found != nil {
			if _, got := r.asked(t, found[1], false, tree("wallet")); got.Name != "wallet" {
				t.Errorf("the link shows %+v", got)
			}
			return
		}
	}
}

// TestThePageSpeaksEachLanguageWhole wants every text in every language, with the same places for names and amounts.
func TestThePageSpeaksEachLanguageWhole(t *testing.T) {
	text, err := payPageFiles.ReadFile("payment/words.js")
	if err != nil {
		t.Fatal(err)
	}
	entry, place := regexp.MustCompile(`(?:'([a-z.-]+)'|\b([A-Za-z]+)): '([^']+)'`), regexp.MustCompile(`\{\d\}`)
	texts := map[string]map[string]string{}
	for _, block := range regexp.MustCompile(`(?s)\n  ([a-z]{2}): \{(.*?)\n  \},`).FindAllSubmatch(text, -1) {
		one := map[string]string{}
		for _, found := range entry.FindAllSubmatch(block[2], -1) {
			places := place.FindAllString(string(found[3]), -1)
			slices.Sort(places)
			one[string(found[1])+string(found[2])] = strings.Join(places, "")
		}
		texts[string(block[1])] = one
	}
	if len(texts) != 8 || len(texts["en"]) < 50 {
		t.Fatalf("%d languages, %d texts", len(texts), len(texts["en"]))
	}
	for lang, one := range texts {
		for key, places := range texts["en"] {
			if got, ok := one[key]; !ok || got != places {
				t.Errorf("%s: %s", lang, key)
			}
		}
		if len(one) != len(texts["en"]) {
			t.Errorf("%s has %d texts, not %d", lang, len(one), len(texts["en"]))
		}
	}
}
