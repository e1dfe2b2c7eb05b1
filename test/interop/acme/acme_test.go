//go:build interop

// Package acme lets the real program get its certificates from Pebble, the ACME authority that Let's Encrypt's makers test with, over both
// kinds of checks that it knows (RFC 8555 §8.3, RFC 8737). test/interop/install has Pebble built; PEBBLE and PALABRE name the programs:
//
//	go test -tags interop ./test/interop/acme
package acme

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

const (
	domain   = "chat.palabre.test"
	password = "Rien ne se perd"
	patience = 2 * time.Minute // never waited for in full unless something is wrong
)

// TestCertificateByHTTP gets a certificate by the check at port 80, uses it at every door, and keeps it over a restart.
func TestCertificateByHTTP(t *testing.T) {
	p := newServer(t)
	a := newAuthority(t, checks{http: p.checks, tls: freePort(t)}, 90*24*time.Hour)
	p.serve(a)
	serials := p.look(a)
	p.visit("/invite/x")
	p.stop()
	p.serve(a)
	for door, serial := range p.look(a) {
		if serial != serials[door] {
			t.Errorf("%s: a new certificate after a restart", door)
		}
	}
	p.stop()
}

// TestRenewalByTLS gets a certificate by the check within TLS at the HTTPS door (port 443), and waits for its renewal while the server runs.
func TestRenewalByTLS(t *testing.T) {
	p := newServer(t)
	a := newAuthority(t, checks{http: freePort(t), tls: p.https}, 15*time.Second)
	p.serve(a)
	first := p.look(a)
	await(t, "the renewal", func() error {
		for door, serial := range p.look(a) {
			if serial == first[door] {
				return fmt.Errorf("%s has the first certificate", door)
			}
		}
		return nil
	})
	p.stop()
}

// server is the program under test.
type server struct {
	t                               *testing.T
	folder                          string
	starttls, direct, https, checks int
	process                         *exec.Cmd
	gone                            chan error
}

func newServer(t *testing.T) *server {
	t.Helper()
	return &server{t: t, folder: t.TempDir(), starttls: freePort(t), direct: freePort(t), https: freePort(t), checks: freePort(t)}
}

func (p *server) program(a *authority, args ...string) *exec.Cmd {
	p.t.Helper()
	program := os.Getenv("PALABRE")
	if program == "" {
		p.t.Fatal("PALABRE does not name the program")
	}
	command := exec.Command(program, args...)
	local := func(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
	command.Env = append(os.Environ(), "SSL_CERT_FILE="+a.trust, "PALABRE_DOMAIN="+domain, "PALABRE_DATA="+filepath.Join(p.folder, "data"),
		"PALABRE_TLS_SOURCE=acme", "PALABRE_TLS_ACME_DIRECTORY="+a.directory, "PALABRE_TLS_ACME_LISTEN="+local(p.checks),
		"PALABRE_C2S_LISTEN="+local(p.starttls), "PALABRE_C2S_LISTEN_TLS="+local(p.direct), "PALABRE_HTTP_LISTEN="+local(p.https),
		"PALABRE_HTTP_LOCAL="+local(freePort(p.t)))
	return command
}

// serve starts the server, with an account the first time.
func (p *server) serve(a *authority) {
	p.t.Helper()
	if _, err := os.Stat(p.folder + "/data"); errors.Is(err, os.ErrNotExist) {
		add := p.program(a, "account", "add", "romeo")
		add.Stdin = strings.NewReader(password + "\n")
		if output, err := add.CombinedOutput(); err != nil {
			p.t.Fatalf("account add: %v: %s", err, output)
		}
	}
	p.process = p.program(a, "serve")
	p.gone = start(p.t, p.process)
}

func (p *server) stop() {
	p.t.Helper()
	must(p.t, p.process.Process.Signal(syscall.SIGTERM))
	if err := <-p.gone; err != nil {
		p.t.Errorf("the server did not stop in order: %v", err)
	}
}

// look logs in at every door, trusting nothing but the authority, and returns the serial numbers of the certificates that it met.
func (p *server) look(a *authority) map[string]string {
	p.t.Helper()
	met := map[string]string{}
	for door, try := range map[string]func(*tls.Config) error{
		"starttls": func(cfg *tls.Config) error { return p.login(cfg, client.StartTLS, p.starttls) },
		"direct":   func(cfg *tls.Config) error { return p.login(cfg, client.DirectTLS, p.direct) },
		"https":    func(cfg *tls.Config) error { return p.get(cfg) },
		"unnamed":  func(cfg *tls.Config) error { return p.greet(cfg, a.roots) },
	} {
		cfg := &tls.Config{RootCAs: a.roots, ServerName: domain, MinVersion: tls.VersionTLS12, VerifyConnection: func(state tls.ConnectionState) error {
			met[door] = state.PeerCertificates[0].SerialNumber.String()
			return nil
		}}
		await(p.t, door, func() error { return try(cfg) })
	}
	return met
}

func (p *server) login(cfg *tls.Config, method client.Method, port int) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	c, err := client.New(client.Config{JID: xmpp.MustJID("romeo@" + domain), Password: password, Method: method,
		Server: "127.0.0.1:" + strconv.Itoa(port), Roots: cfg.RootCAs, TLS: cfg})
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Connect(ctx)
}

func (p *server) get(cfg *tls.Config) error {
	h := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}}
	response, err := h.Get("https://127.0.0.1:" + strconv.Itoa(p.https) + "/.well-known/host-meta")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// greet is a handshake of an app that names no host (RFC 6066 §3).
func (p *server) greet(cfg *tls.Config, roots *x509.CertPool) error {
	mute := cfg.Clone()
	mute.ServerName, mute.InsecureSkipVerify = "", true // verified below
	conn, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.https), mute)
	if err != nil {
		return err
	}
	defer conn.Close()
	chain := x509.NewCertPool()
	for _, one := range conn.ConnectionState().PeerCertificates[1:] {
		chain.AddCert(one)
	}
	_, err = conn.ConnectionState().PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: domain, Roots: roots, Intermediates: chain})
	return err
}

// visit opens the port of the checks in a browser, which is led to HTTPS.
func (p *server) visit(path string) {
	p.t.Helper()
	h := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := h.Get("http://127.0.0.1:" + strconv.Itoa(p.checks) + path)
	must(p.t, err)
	must(p.t, response.Body.Close())
	if want := "https://" + net.JoinHostPort(domain, strconv.Itoa(p.https)) + path; response.Header.Get("Location") != want {
		p.t.Errorf("led to %q, not to %q", response.Header.Get("Location"), want)
	}
}

// start starts a program, shows its last words if the test fails, and ends it with the test.
func start(t *testing.T, command *exec.Cmd) (gone chan error) {
	t.Helper()
	said := &words{}
	command.Stdout, command.Stderr = said, said
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, command.Start())
	gone = make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		gone <- command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		if err := command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(command.Path), said)
		}
	})
	return gone
}

// words keeps what a program has said.
type words struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (w *words) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(text)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, err := io.ReadAll(&w.b)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-8000):])
}

// await tries until it works, for as long as patience lasts.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(patience)
	for tick := time.NewTicker(200 * time.Millisecond); ; <-tick.C {
		err := try()
		if err == nil {
			tick.Stop()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// freePort is one that nobody uses now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
