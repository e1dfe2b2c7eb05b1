package linkcard

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAddressesThatAreNoPages(t *testing.T) {
	for _, text := range []string{
		"", "palabre", "//site.example/", "/path", "http://", "http:///x", "http:site.example", "https:?x",
		"ftp://site.example/", "file:///etc/passwd", "gopher://site.example/", "javascript:alert(1)", "data:text/html,x", "unix:///run/x", "ws://site.example/",
		"http://somebody@site.example/", "https://somebody:secret@site.example/",
		"http://site.example:8080/", "https://site.example:22/", "http://site.example:0/", "http://127.0.0.1:5280/metrics", "http://site.example:99999/",
		"http://site.example/" + strings.Repeat("x", maxAddress), "http://[::1", "http://site.example/%zz\x00",
	} {
		if u, err := parseAddress(text, false); err == nil {
			t.Errorf("%q is taken as %s", text, u)
		}
	}
	for text, want := range map[string]string{
		"http://site.example":                 "http://site.example",
		"HTTPS://site.example:443/a?b=c#part": "https://site.example:443/a?b=c",
		"http://site.example:80/":             "http://site.example:80/",
	} {
		if u, err := parseAddress(text, false); err != nil || u.String() != want {
			t.Errorf("%q: %v, %v", text, u, err)
		}
	}
	if _, err := parseAddress("http://127.0.0.1:8080/", true); err != nil {
		t.Error(err)
	}
}

// TestNothingInsideIsCalled asks for addresses within the operator's network, in all the ways in which they can be written or named.
func TestNothingInsideIsCalled(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) { says(w, "<title>secret</title>") })
	w.named("private.example", ips("10.1.2.3"))
	w.named("several.example", ips("127.0.0.1", "fd00::1", "169.254.169.254"))
	w.named("nothing.example", ips())
	w.named("localhost", ips("127.0.0.1", "::1"))
	w.named("own.example", ips(ownAddress.String()))
	for _, name := range []string{"2130706433", "0x7f000001", "017700000001", "127.1", "0"} { // some resolvers read these as addresses
		w.named(name, ips("127.0.0.1"))
	}
	for _, host := range []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
		"[::1]", "[::]", "[fd00::1]", "[fe80::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		ownAddress.String(), "[::ffff:" + ownAddress.String() + "]", "own.example", "private.example", "several.example", "nothing.example", "localhost",
		"2130706433", "0x7f000001", "017700000001", "127.1", "0",
	} {
		if _, err := w.card(t.Context(), "http://"+host+"/"); err == nil {
			t.Errorf("%s gives a card", host)
		}
		if called := w.calls(); len(called) != 0 {
			t.Errorf("%s: %q were called", host, called)
		}
	}
}

// TestOnlyWhatIsOutsideOfANameIsCalled has a name with both.
func TestOnlyWhatIsOutsideOfANameIsCalled(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) { says(w, "<title>a page</title>") })
	w.named("both.example", ips("10.0.0.1", "192.0.2.7", "::1"))
	if made, err := w.card(t.Context(), "http://both.example/"); err != nil || made.title != "a page" {
		t.Error(made, err)
	}
	if called := w.calls(); !slices.Equal(called, []string{"192.0.2.7:80"}) {
		t.Errorf("%q were called", called)
	}
}

// TestANameThatChanges says something else each time it is asked: for the page, and for the picture on the same site.
func TestANameThatChanges(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/picture" {
			w.Header().Set("Content-Type", "image/png")
			w.Write(drawn(t, 400, 300))
			return
		}
		says(w, `<title>rebinding</title><meta property=og:image content=/picture>`)
	})
	w.named("changes.example", ips("192.0.2.7"), ips("127.0.0.1"))
	made, err := w.card(t.Context(), "http://changes.example/")
	if err != nil || made.title != "rebinding" || made.picture != nil {
		t.Error(made.title, len(made.picture), err)
	}
	if called := w.calls(); !slices.Equal(called, []string{"192.0.2.7:80"}) {
		t.Errorf("%q were called", called)
	}
	w.named("stays.example", ips("192.0.2.7"))
	if made, err := w.card(t.Context(), "http://stays.example/"); err != nil || made.picture == nil {
		t.Error("no picture", err)
	}
}

func TestRedirects(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("a site is told %v", r.Header)
		}
		if to := r.URL.Query().Get("to"); to != "" {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		says(w, "<title>"+r.Host+"</title>")
	})
	w.named("private.example", ips("10.1.2.3"))
	hop := func(to string) string {
		return "/?to=" + strings.NewReplacer("%", "%25", "&", "%26", "?", "%3f").Replace(to)
	}
	three := hop(hop(hop("http://end.example/")))
	if made, err := w.card(t.Context(), "http://site.example"+three); err != nil || made.title != "end.example" {
		t.Error(made, err)
	}
	w.calls()
	for _, to := range []string{
		"http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data/", "http://private.example/", "http://other.example:8080/", "http://somebody@other.example/",
		"ftp://other.example/", "file:///etc/passwd", "https://" + ownAddress.String() + "/",
	} {
		if _, err := w.card(t.Context(), "http://site.example"+hop(to)); err == nil {
			t.Errorf("a redirect to %s is followed", to)
		}
		if called := w.calls(); !slices.Equal(called, []string{"192.0.2.10:80"}) {
			t.Errorf("%s: %q were called", to, called)
		}
	}
	if made, err := w.card(t.Context(), "http://site.example"+hop(three)); err == nil {
		t.Errorf("four redirects give %v", made)
	}
	if called := w.calls(); len(called) != maxRedirects+1 {
		t.Errorf("%q were called", called)
	}
}

func TestWhatASiteIsTold(t *testing.T) {
	headers := make(chan http.Header, 1)
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		says(w, "<title>x</title>")
	})
	if _, err := w.card(t.Context(), "http://site.example/"); err != nil {
		t.Fatal(err)
	}
	got := <-headers
	for _, known := range []string{"User-Agent", "Accept", "Accept-Encoding", "Connection"} {
		got.Del(known)
	}
	if len(got) != 0 {
		t.Errorf("also %v", got)
	}
}

func TestKindsOfPages(t *testing.T) {
	kind, status := "", 0
	w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		w.Write([]byte("<html><title>caf\xe9</title>"))
	})
	for _, c := range []struct {
		kind   string
		status int
		title  string
	}{
		{"text/html; charset=iso-8859-1", 200, "café"},
		{"application/xhtml+xml; charset=windows-1252", 200, "café"},
		{"TEXT/HTML;charset=ISO-8859-15", 200, "café"},
		{"text/html; charset=unheard-of", 200, "café"}, // as browsers guess
		{"text/plain", 200, ""}, {"application/json", 200, ""}, {"image/png", 200, ""}, {"application/octet-stream", 200, ""}, {"", 200, ""}, {"text/html;;;=", 200, ""},
		{"text/html", 404, ""}, {"text/html", 500, ""}, {"text/html", 206, ""}, {"text/html", 204, ""}, {"text/html", 304, ""},
	} {
		kind, status = c.kind, c.status
		made, err := w.card(t.Context(), "http://site.example/")
		if made.title != c.title || (err == nil) != (c.title != "") {
			t.Errorf("%s, %d: %q, %v", c.kind, c.status, made.title, err)
		}
	}
}

// TestAPageWithoutEnd sends for ever; what it says at the beginning is enough, and what it says too late is not heard.
func TestAPageWithoutEnd(t *testing.T) {
	ended := make(chan int, 1)
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			says(w, "<title>early</title>")
		} else {
			says(w, "<html>")
		}
		sent := 0
		for r.Context().Err() == nil {
			n, err := w.Write([]byte(strings.Repeat("<link rel=x>", 1000)))
			if sent += n; err != nil || sent > 64<<20 {
				break
			}
			if sent > maxPage && sent < maxPage+20_000 {
				w.Write([]byte("<title>too late</title>"))
			}
		}
		ended <- sent
	})
	if made, err := w.card(t.Context(), "http://site.example/early"); err != nil || made.title != "early" {
		t.Error(made, err)
	}
	if sent := <-ended; sent > 32<<20 {
		t.Errorf("%d bytes were sent", sent)
	}
	if made, err := w.card(t.Context(), "http://site.example/late"); err == nil {
		t.Error(made)
	}
	<-ended
}

// TestABombOfZeros sends a small file that becomes a large page, and one that becomes a large picture.
func TestABombOfZeros(t *testing.T) {
	var small bytes.Buffer
	packed := gzip.NewWriter(&small)
	packed.Write([]byte("<title>early</title><meta property=og:image content=/picture><link x="))
	for range 64 {
		packed.Write(make([]byte, 1<<20))
	}
	packed.Write([]byte("><meta property=og:title content=late>"))
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/picture" {
			w.Header().Set("Content-Type", "image/png")
		}
		w.Write(small.Bytes())
	})
	if made, err := w.card(t.Context(), "http://site.example/"); err != nil || made.title != "early" || made.picture != nil {
		t.Error(made.title, len(made.picture), err)
	}
}

// TestSlowSites have sites that say nothing, half a head, or half a page.
func TestSlowSites(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/silent" {
			says(w, "<html><head>")
			http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	})
	for _, path := range []string{"/silent", "/half"} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		if made, err := w.card(ctx, "http://site.example"+path); err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v", path, made, time.Since(began))
		}
		cancel()
	}
}

// TestTooManyHeaders has a site that begins with headers and does not come to an end of them.
func TestTooManyHeaders(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			w.Header().Add("X-More", strings.Repeat("x", 1000))
		}
		says(w, "<title>x</title>")
	})
	if made, err := w.card(t.Context(), "http://site.example/"); err == nil {
		t.Error(made)
	}
}

func TestPicturesOfPages(t *testing.T) {
	good := drawn(t, 400, 300)
	files := map[string]struct {
		kind string
		file []byte
	}{
		"/good": {"image/png", good}, "/page": {"text/html", good}, "/vector": {"image/svg+xml", []byte("<svg/>")}, "/broken": {"image/png", good[:len(good)/2]},
		"/other": {"image/png", []byte("GIF89a?")}, "/large": {"image/png", append(good, make([]byte, maxImage)...)},
	}
	picture := ""
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if file, ok := files[r.URL.Path]; ok {
			w.Header().Set("Content-Type", file.kind)
			w.Write(file.file)
			return
		}
		says(w, `<title>x</title><meta property="og:image" content="`+picture+`">`)
	})
	for address, want := range map[string]bool{
		"/good": true, "good": true, "http://elsewhere.example/good": true, "//elsewhere.example/good": true, "/page": false, "/vector": false, "/broken": false, "/other": false,
		"/large": false, "http://127.0.0.1/good": false, "http://elsewhere.example:81/good": false, "data:image/png;base64,xxxx": false, "": false, "http://[": false,
	} {
		picture = address
		made, err := w.card(t.Context(), "http://site.example/")
		if err != nil || (made.picture != nil) != want {
			t.Errorf("%s: %d bytes, %v", address, len(made.picture), err)
		}
	}
	for _, called := range w.calls() {
		if called != "192.0.2.10:80" {
			t.Errorf("%s was called", called)
		}
	}
}
