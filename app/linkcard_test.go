package app

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
)

// site is one of the web, with a page and its picture.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 600, 400))); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<title>The balcony</title><meta name=description content="A scene"><meta property=og:image content=/picture>`))
	})
	mux.HandleFunc("GET /picture", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Write(picture.Bytes())
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// TestCardsOfLinks goes through the door: a card of a page, and what else is said meanwhile.
func TestCardsOfLinks(t *testing.T) {
	page := site(t).URL + "/page"
	cfg := testConfig(t, storetest.SQLite)
	cfg.LinkCard.AllowPrivate = true
	r := start(t, cfg)
	romeo := r.test.Login(t, "romeo/home")
	romeo.Send("<iq type='get' id='c' to='romeo@localhost'><card xmlns='urn:palabre:link-card:0' url='" + page + "'/></iq>")
	card := romeo.Receive().Child("urn:palabre:link-card:0", "card").First()
	about, _ := card.LookupAttr("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "about")
	if title := card.ChildText("https://ogp.me/ns#", "title"); title != "The balcony" || about != page {
		t.Errorf("got %s", card)
	}
	if picture := card.ChildText("https://ogp.me/ns#", "image"); !strings.HasPrefix(picture, "data:image/jpeg;base64,") || len(picture) > 33<<10 {
		t.Errorf("the picture is %.100s", picture)
	}
	_, figures := fetch(t, http.DefaultClient, "http://"+r.http.Addresses()[1].String()+"/metrics", "")
	if !strings.Contains(figures, `palabre_linkcard_requests_total{outcome="made"} 1`) || strings.Contains(figures, "balcony") {
		t.Error("the figures do not tell of it, or too much")
	}
}

// TestCardsOfLinksAsConfigured has the server as it comes, which calls nothing on its own machine, and one that makes no cards.
func TestCardsOfLinksAsConfigured(t *testing.T) {
	page := strings.Replace(site(t).URL, "127.0.0.1:", "127.0.0.1:80/?", 1)
	for want, enabled := range map[string]bool{"item-not-found": true, "service-unavailable": false} {
		cfg := testConfig(t, storetest.SQLite)
		cfg.LinkCard.Enabled = enabled
		r := start(t, cfg)
		romeo := r.test.Login(t, "romeo/home")
		romeo.Send("<iq type='get' id='c'><card xmlns='urn:palabre:link-card:0' url='" + page + "'/></iq>")
		if got := romeo.Receive().String(); !strings.Contains(got, want) {
			t.Errorf("enabled %v: %s", enabled, got)
		}
		announced := strings.Contains(strings.Join(r.server.Announced(core.AtAccount), " "), "urn:palabre:link-card:0")
		if announced != enabled {
			t.Errorf("enabled %v, announced %v", enabled, announced)
		}
	}
}
