package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func own(t *testing.T, folder string, names ...string) *Source {
	t.Helper()
	s, err := Open(DefaultConfig(), folder, names, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func leafOf(t *testing.T, s *Source) *tls.Certificate {
	t.Helper()
	cert, err := s.TLS().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestOwnAuthority(t *testing.T) {
	folder := t.TempDir()
	s := own(t, folder, "chat.example", "upload.chat.example")
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CA()) {
		t.Fatal("no authority")
	}
	leaf := leafOf(t, s)
	for _, name := range []string{"chat.example", "upload.chat.example", "localhost", "127.0.0.1", "::1"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again := own(t, folder, "chat.example", "upload.chat.example"); !leafOf(t, again).Leaf.Equal(leaf.Leaf) || !bytes.Equal(again.CA(), s.CA()) {
		t.Error("a restart makes new certificates")
	}
	more := own(t, folder, "chat.example", "upload.chat.example", "ws.chat.example")
	if !bytes.Equal(more.CA(), s.CA()) {
		t.Error("a name under the domain needs a new authority")
	}
	if err := leafOf(t, more).Leaf.VerifyHostname("ws.chat.example"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(folder, "own", "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key of the authority: %v, %v", info.Mode(), err)
	}
}

func TestOwnAuthorityCannotSignForOthers(t *testing.T) {
	folder := t.TempDir()
	s := own(t, folder, "chat.example")
	ca, err := readPair(filepath.Join(folder, "own"), "ca")
	if err != nil {
		t.Fatal(err)
	}
	bank, err := makePair(t.TempDir(), "server", &x509.Certificate{DNSNames: []string{"bank.example"}, NotAfter: time.Now().Add(time.Hour)}, ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	if _, err := bank.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "bank.example"}); err == nil {
		t.Error("the authority may sign for a bank")
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	folder := t.TempDir()
	template := func() *x509.Certificate {
		return &x509.Certificate{DNSNames: []string{"chat.example"}, NotAfter: time.Now().Add(time.Hour)}
	}
	if _, err := makePair(folder, "a", template(), nil); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Source: "files", CertFile: filepath.Join(folder, "a.crt"), KeyFile: filepath.Join(folder, "a.key")}
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(cfg, folder, []string{"chat.example"}, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		before := leafOf(t, s).Leaf
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		if err := os.WriteFile(cfg.CertFile, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		setTime(t, cfg.CertFile, 1)
		time.Sleep(2 * reloadInterval)
		synctest.Wait()
		if !leafOf(t, s).Leaf.Equal(before) {
			t.Error("a broken file replaced the certificate")
		}
		if _, err := makePair(folder, "a", template(), nil); err != nil {
			t.Fatal(err)
		}
		setTime(t, cfg.CertFile, 2)
		time.Sleep(2 * reloadInterval)
		synctest.Wait()
		if leafOf(t, s).Leaf.Equal(before) {
			t.Error("the new file was not read")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestOwnAuthorityAfterCrash has a crash between the two files of a renewal: the authority that devices trust goes on.
func TestOwnAuthorityAfterCrash(t *testing.T) {
	folder := t.TempDir()
	before := own(t, folder, "example.org")
	for _, name := range []string{"ca.crt", "server.crt"} {
		if err := os.Remove(filepath.Join(folder, "own", name)); err != nil {
			t.Fatal(err)
		}
	}
	after := own(t, folder, "example.org")
	if !bytes.Equal(before.CA(), after.CA()) {
		t.Error("there is a new authority")
	}
	if !bytes.Equal(leafOf(t, before).Certificate[0], leafOf(t, after).Certificate[0]) {
		t.Error("there is a new certificate")
	}
	if copied, err := os.ReadFile(filepath.Join(folder, "own", "ca.crt")); err != nil || !bytes.Equal(copied, after.CA()) {
		t.Errorf("the copy for people: %v", err)
	}
}

// setTime makes a change visible however coarse the clock of the file system is.
func setTime(t *testing.T, path string, hours int) {
	t.Helper()
	at := time.Unix(0, 0).Add(time.Duration(hours) * time.Hour)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestConfig(t *testing.T) {
	for _, bad := range []Config{{}, {Source: "files"}, {Source: "files", CertFile: "x"}, {Source: "magic"}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestVisitorsOfTheCheckPortAreLedOn(t *testing.T) {
	for _, c := range []struct {
		method, path, to string
		code             int
	}{
		{"GET", "/invite/abc?x=1", "https://chat.example:5443/invite/abc?x=1", http.StatusFound},
		{"HEAD", "/", "https://chat.example:5443/", http.StatusFound},
		{"GET", "//elsewhere.example/", "https://chat.example:5443//elsewhere.example/", http.StatusFound},
		{"POST", "/", "", http.StatusBadRequest},
	} {
		w := httptest.NewRecorder()
		leadTo("https://chat.example:5443").ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code || w.Header().Get("Location") != c.to {
			t.Errorf("%s %s: %d, %q", c.method, c.path, w.Code, w.Header().Get("Location"))
		}
	}
}
