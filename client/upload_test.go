package client_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/client"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/disco"
	"palabre.dev/palabre/feature/upload"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// library is a server that takes files, and what its certificates are checked against.
func library(t *testing.T) (*palabretest.Server, *x509.CertPool) {
	t.Helper()
	mux := http.NewServeMux()
	web := httptest.NewTLSServer(mux)
	t.Cleanup(web.Close)
	s := palabretest.Start(t, storetest.SQLite,
		palabretest.With(func(s *palabretest.Server) (any, error) {
			blobs, err := blob.OpenDisk(t.TempDir())
			if err != nil {
				return nil, err
			}
			cfg := upload.DefaultConfig()
			cfg.URL, cfg.MaxSizeBytes = web.URL, 1000
			files, err := upload.New(s.Context, cfg, s.DB, blobs, s.Log)
			if err == nil {
				files.Routes(mux)
			}
			return files, err
		}),
		palabretest.With(func(*palabretest.Server) (any, error) { return disco.New(disco.DefaultConfig(), nobody{}) }),
	)
	roots := s.Roots.Clone()
	roots.AddCert(web.Certificate())
	return s, roots
}

func TestFilesThereAndBack(t *testing.T) {
	t.Parallel()
	s, roots := library(t)
	c := login(t, s, "romeo", func(cfg *client.Config) { cfg.Roots = roots })
	at, err := c.Upload(within(t), "moon.txt", "text/plain", 4, strings.NewReader("moon"))
	must(t, err)
	var got bytes.Buffer
	must(t, c.Download(within(t), at, 10, &got))
	if got.String() != "moon" {
		t.Errorf("downloaded %q", got.String())
	}
	if err := c.Download(within(t), at, 3, &bytes.Buffer{}); !errors.Is(err, xmpp.ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	if _, err := c.Upload(within(t), "big", "", 2000, bytes.NewReader(make([]byte, 2000))); !errors.Is(err, xmpp.NotAcceptable) {
		t.Errorf("a file too big: %v", err)
	}
	at, err = c.UploadEncrypted(within(t), "secret.txt", strings.NewReader("yonder window"))
	must(t, err)
	got.Reset()
	must(t, c.Download(within(t), at, 100, &got))
	if got.String() != "yonder window" || !strings.HasPrefix(at, "aesgcm://") {
		t.Errorf("downloaded %q from %s", got.String(), at)
	}
	for _, address := range []string{"http://example.org/", "file:///etc/passwd", "ftp://example.org/x", "::"} {
		if err := c.Download(within(t), address, 10, &got); err == nil {
			t.Errorf("visited %s", address)
		}
	}
}

func TestNowhereToUpload(t *testing.T) {
	t.Parallel()
	s := palabretest.Start(t, storetest.SQLite, palabretest.With(func(*palabretest.Server) (any, error) {
		return disco.New(disco.DefaultConfig(), nobody{})
	}))
	c := login(t, s, "romeo", nil)
	if _, err := c.Upload(within(t), "x", "", 1, strings.NewReader("x")); !errors.Is(err, client.ErrNoUpload) {
		t.Errorf("got %v", err)
	}
}

// nobody has contacts.
type nobody struct{}

func (nobody) Subscribed(context.Context, *core.Account, xmpp.JID) (bool, error) { return false, nil }
