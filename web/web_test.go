package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

var dist = fstest.MapFS{
	".keep":              {},
	"index.html":         {Data: []byte("<!doctype html>\n<html lang=\"en\"><head><title>Palabre</title></head><body></body></html>\n")},
	"assets/app-1234.js": {Data: []byte(strings.Repeat("export const words = 'the same again'\n", 100))},
	"assets/fr-1.js":     {Data: []byte("export default {}")},
	"assets/ar-1.js":     {Data: []byte("export default {}")},
	"assets/pt-1.js":     {Data: []byte("export default {}")},
	"locales.json":       {Data: []byte(`{"fr":"assets/fr-1.js","ar":"assets/ar-1.js","pt-BR":"assets/pt-1.js"}`)},
	"icons/a.png":        {Data: []byte("\x89PNG\r\n\x1a\n")},
	"sw.js":              {Data: []byte("self")},
}

func serve(t *testing.T, files fstest.MapFS) http.Handler {
	t.Helper()
	site, err := read(files, Config{Servers: []string{"wss://second.example"}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	site.Routes(mux)
	return mux
}

func get(handler http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestPagesInTheLanguageOfTheBrowser(t *testing.T) {
	handler := serve(t, dist)
	for _, c := range []struct{ path, accept, cookie, want, texts string }{
		{"/", "fr-CA,fr;q=0.9,en;q=0.8", "", `<html lang="fr" dir="ltr">`, "/assets/fr-1.js"},
		{"/chat/juliet@example.org", "ar-MA", "", `<html lang="ar" dir="rtl">`, "/assets/ar-1.js"},
		{"/", "pt-BR", "", `<html lang="pt-BR" dir="ltr">`, "/assets/pt-1.js"},
		{"/", "ja", "", `<html lang="en" dir="ltr">`, ""},
		{"/", "", "", `<html lang="en" dir="ltr">`, ""},
		{"/", "fr", "ar", `<html lang="ar" dir="rtl">`, "/assets/ar-1.js"},
		{"/", "fr", "xx; <script>", `<html lang="fr" dir="ltr">`, "/assets/fr-1.js"},
		{"/", "\x00;;q=,,", "", `<html lang="en" dir="ltr">`, ""},
	} {
		header := []string{"Accept-Language", c.accept}
		if c.cookie != "" {
			header = append(header, "Cookie", "lang="+c.cookie)
		}
		w := get(handler, c.path, header...)
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, c.want) || strings.Count(body, "<html") != 1 {
			t.Errorf("%s, %q: %d %s", c.path, c.accept, w.Code, body)
		}
		if preload := `<link rel="modulepreload" href="` + c.texts + `"></head>`; c.texts != "" && !strings.Contains(body, preload) {
			t.Errorf("%s, %q: texts are not asked for at once: %s", c.path, c.accept, body)
		}
		if !strings.Contains(w.Header().Get("Vary"), "Accept-Language") || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("headers: %v", w.Header())
		}
	}
}

func TestFilesAreCompressedAndKept(t *testing.T) {
	handler := serve(t, dist)
	w := get(handler, "/assets/app-1234.js", "Accept-Encoding", "gzip, br")
	if w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Fatalf("headers: %v", w.Header())
	}
	plain, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(plain); err != nil || string(b) != string(dist["assets/app-1234.js"].Data) {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if again := get(handler, "/assets/app-1234.js", "Accept-Encoding", "gzip", "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("asked again: %d", again.Code)
	}
	if w := get(handler, "/assets/app-1234.js"); w.Header().Get("Content-Encoding") != "" || w.Body.Len() != len(dist["assets/app-1234.js"].Data) {
		t.Errorf("without gzip: %v", w.Header())
	}
	if w := get(handler, "/icons/a.png", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" || w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("picture: %v", w.Header())
	}
	if w := get(handler, "/sw.js"); w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("service worker: %v", w.Header())
	}
}

func TestWhatIsNotThere(t *testing.T) {
	handler := serve(t, dist)
	for _, path := range []string{"/assets/gone-1.js", "/favicon.ico", "/assets/", "/.keep", "/assets/../../web.go", "/locales.txt"} {
		if w := get(handler, path); w.Code != http.StatusNotFound && w.Code != http.StatusMovedPermanently && w.Code != http.StatusTemporaryRedirect {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get(serve(t, fstest.MapFS{".keep": {}}), "/"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make web") {
		t.Errorf("without the client: %d %s", w.Code, w.Body)
	}
	if _, err := read(fstest.MapFS{"index.html": {Data: []byte("no tags")}}, Config{}); err == nil {
		t.Error("a page without <html> was taken")
	}
}

func TestHeadersLetOnlyTheClientRun(t *testing.T) {
	handler := serve(t, dist)
	for _, path := range []string{"/", "/assets/app-1234.js", "/sw.js", "/integrity.json"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "chat.example:5443"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self' wss://chat.example:5443 wss://second.example;",
			"require-trusted-types-for 'script'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: no %q in %q", path, want, policy)
			}
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "evil.example; script-src *"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(policy, "evil") {
		t.Errorf("a host went into the policy: %q", policy)
	}
}

func TestIntegrity(t *testing.T) {
	site, err := read(dist, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(site.Digests()); n != len(dist)-1 {
		t.Errorf("%d digests", n)
	}
	changed := fstest.MapFS{}
	for name, f := range dist {
		changed[name] = f
	}
	changed["sw.js"] = &fstest.MapFile{Data: []byte("self ")}
	other, err := read(changed, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if site.Sum() == other.Sum() || len(site.Sum()) != 64 {
		t.Errorf("%s and %s", site.Sum(), other.Sum())
	}
	if w := get(serve(t, dist), "/integrity.json"); !strings.Contains(w.Body.String(), site.Sum()) {
		t.Errorf("served: %s", w.Body)
	}
}
