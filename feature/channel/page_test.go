package channel

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// evil is a post that tries to be more than text.
const evil = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='town'><item id='p'><entry xmlns='http://www.w3.org/2005/Atom'><id>tag:1</id>` +
	`<title>&lt;script&gt;alert(1)&lt;/script&gt;</title><updated>2026-11-21T18:00:00Z</updated><content>one&#10;two &lt;b&gt;</content>` +
	`<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><script>alert(2)</script></div></content>` +
	`<link rel='enclosure' href='https://town.example/a.jpg' type='image/jpeg' length='9' title='the bridge'/><link href='javascript:alert(3)'/><link rel='enclosure' href='data:text/html,x'/></entry></item></publish></pubsub>`

func TestPagesAndFeeds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, _ := newTown(t, db, w, nil)
		mux := http.NewServeMux()
		cs.Routes(mux)
		server := httptest.NewServer(mux)
		defer server.Close()
		get := func(path, tag string) (int, http.Header, string) {
			t.Helper()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("If-None-Match", tag)
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode, response.Header, string(body)
		}
		ask(t, romeo, "set", evil)
		status, header, page := get("/channel/town", "")
		if status != http.StatusOK || strings.Contains(page, "<script") || strings.Contains(page, "javascript:") || strings.Contains(page, "data:text") {
			t.Errorf("%d\n%s", status, page)
		}
		for _, want := range []string{"&lt;script&gt;alert(1)", "<p>one</p>\n<p>two &lt;b&gt;</p>", `href="https://town.example/a.jpg"`, "the bridge", `href="xmpp:channels.localhost?pubsub;action=subscribe;node=town"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%q is not on the page\n%s", want, page)
			}
		}
		for name, want := range pageHeaders {
			if header.Get(name) != want {
				t.Errorf("%s: %q", name, header.Get(name))
			}
		}
		if status, _, body := get("/channel/town", header.Get("ETag")); status != http.StatusNotModified || body != "" {
			t.Errorf("what is known already is answered with %d", status)
		}
		ask(t, romeo, "set", "<pubsub xmlns='"+nsOwner+"'><configure node='town'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#language'><value>ar-EG</value></field></x></configure></pubsub>")
		if _, _, page := get("/channel/town", header.Get("ETag")); !strings.Contains(page, `<html lang="ar" dir="rtl">`) || !strings.Contains(page, `lang="ar-EG"`) {
			t.Errorf("a page in Arabic is\n%s", page)
		}
		status, header, atom := get("/channel/town.atom", "")
		feed, err := xmpp.Parse(atom[len(xml.Header):], xmpp.Scope{})
		if err != nil || status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "application/atom+xml") {
			t.Fatal(status, header, err, atom)
		}
		if feed.Child(nsAtom, "entry").ChildText(nsAtom, "id") != "tag:1" || feed.ChildText(nsAtom, "title") != "town" || feed.ChildText(nsAtom, "updated") == "" || feed.ChildText(nsAtom, "id") == "" {
			t.Error(atom)
		}
		var read rss
		status, _, text := get("/channel/town.rss", "")
		if err := xml.Unmarshal([]byte(text), &read); err != nil || status != http.StatusOK || len(read.Channel.Items) != 1 {
			t.Fatal(status, err, text)
		}
		if item := read.Channel.Items[0]; item.Enclosure == nil || item.Enclosure.URL != "https://town.example/a.jpg" || item.GUID.ID != "tag:1" || strings.Contains(item.Description, "<b>") {
			t.Error(text)
		}
		ask(t, romeo, "set", "<pubsub xmlns='"+nsOwner+"'><configure node='town'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#access_model'><value>whitelist</value></field></x></configure></pubsub>")
		for _, path := range []string{"/channel/town", "/channel/town.atom", "/channel/town.rss", "/channel/nothing", "/channel/..%2Fx", "/channel/" + strings.Repeat("x", 5000)} {
			if status, _, body := get(path, ""); status != http.StatusNotFound || strings.Contains(body, "alert") {
				t.Errorf("%.40s is answered with %d %s", path, status, body)
			}
		}
		for range maxMaking {
			cs.making <- struct{}{}
		}
		if status, header, _ := get("/channel/town", ""); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("too many at once are answered with %d", status)
		}
	})
}

// FuzzPage wants a page of anything to hold no script, and no link but to the web.
func FuzzPage(f *testing.F) {
	f.Add("title", "text", "https://a.example/", "name")
	f.Add("<script>", "</p><img src=x onerror=y>", "javascript:alert(1)", `"><script>`)
	f.Add("", "a\x00b", "//evil.example", "")
	cs := &Channels{}
	f.Fuzz(func(t *testing.T, title, text, href, name string) {
		entry := xmpp.NewElement(nsAtom, "entry", xmpp.NewText(nsAtom, "title", title), xmpp.NewText(nsAtom, "content", text),
			xmpp.NewElement(nsAtom, "link").Set("href", href).Set("title", name))
		s := &shown{Words: wordsFor(title), Title: title, Description: text, Style: pageStyle, Posts: []shownPost{showPost(entry)}}
		page, err := cs.makePage(s)
		if err != nil {
			t.Fatal(err)
		}
		lower := strings.ToLower(string(page))
		if strings.Contains(lower, "<script") || strings.Contains(lower, "<img") || strings.Contains(lower, `href="javascript:`) || strings.Contains(lower, `href="data:`) {
			t.Errorf("%q", page)
		}
		if _, err := cs.makeRSS(s); err != nil {
			t.Fatal(err)
		}
	})
}
