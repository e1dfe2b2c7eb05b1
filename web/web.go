// Package web serves the client that people open in a browser: the built files are part of the program, so that a server needs nothing
// beside it. It answers with the languages a browser asks for, with compressed bytes, and with headers under which a page can run only what
// the program brought (WEB.md §6.4 of the design; Content Security Policy Level 3). Left out: anything about accounts or messages; the client
// speaks XMPP like every other app.
package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var built embed.FS

// Site is the built client, ready to be served.
type Site struct {
	files   map[string]*file // by path without a leading slash
	shell   *shell           // nil when the client was not built
	servers []string
	digests []Digest
}

// Config is what the pages must know of the server.
type Config struct {
	// Servers are other origins that the client may connect to when this one is away, such as wss://chat2.example; empty for none.
	Servers []string
}

// New reads the client that was built into the program.
func New(cfg Config) (*Site, error) {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, err
	}
	return read(dist, cfg)
}

func read(dist fs.FS, cfg Config) (*Site, error) {
	s := &Site{files: map[string]*file{}, servers: cfg.Servers}
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".keep") {
			return err
		}
		bytes, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		s.files[name] = newFile(name, bytes)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the web client: %w", err)
	}
	s.digests = digests(s.files)
	if s.files[shellName] == nil {
		return s, nil
	}
	if s.shell, err = newShell(s.files); err != nil {
		return nil, fmt.Errorf("read the web client: %w", err)
	}
	delete(s.files, shellName)
	return s, nil
}

// Built reports whether the client is part of this program; without Node it may have been left out.
func (s *Site) Built() bool { return s.shell != nil }

// Routes serves the client at every path that no other part of the server has.
func (s *Site) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /", s.serve)
	mux.HandleFunc("GET /integrity.json", s.serveDigests)
}

func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if f := s.files[name]; f != nil {
		s.headers(w.Header(), r.Host)
		f.serve(w, r)
		return
	}
	if folder, _, deep := strings.Cut(name, "/"); folder == "assets" || !deep && path.Ext(name) != "" { // addresses in deeper paths have dots
		http.NotFound(w, r)
		return
	}
	s.headers(w.Header(), r.Host)
	if s.shell == nil {
		unbuilt(w)
		return
	}
	s.shell.serve(w, r)
}

// policy allows what the client needs and nothing else. One trusted-types policy makes the addresses of the worker and the service worker.
// Browsers before 2022 do not count a WebSocket to the same host as 'self', so it is named.
func (s *Site) policy(host string) string {
	connect := []string{"connect-src 'self'"}
	if plainHost(host) {
		connect = append(connect, "wss://"+host)
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:", "media-src 'self' blob:", "font-src 'self'",
		strings.Join(append(connect, s.servers...), " "),
		"worker-src 'self'", "manifest-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'",
		"require-trusted-types-for 'script'", "trusted-types palabre",
	}, "; ")
}

// plainHost reports whether a Host header is a name or an address with a port: it goes into a header again.
func plainHost(host string) bool {
	return host != "" && len(host) < 300 && !strings.ContainsFunc(host, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", r)
	})
}

func (s *Site) headers(h http.Header, host string) {
	h.Set("Content-Security-Policy", s.policy(host))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self), payment=(), usb=(), browsing-topics=()")
}

// unbuilt is what a program without the client says.
func unbuilt(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, "This Palabre was built without its web client.\n\nTo build it: install Node 20 or later, run \"make web\" and then \"make build\".\n"+
		"Apps such as Conversations, Monal, Dino or Gajim work without it.\n")
}

var errNoShell = errors.New("index.html has no <html> tag")
