// Package certificate gives the server its TLS certificate from one of three sources: files that another program renews, an ACME
// authority such as Let's Encrypt (RFC 8555), or a small authority of Palabre's own under the data folder, for localhost, home networks
// and trials. Files are read again when they change; the others renew themselves. Left out: client certificates and OCSP stapling.
package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Config is what an operator can set.
type Config struct {
	// Source is where certificates come from: own (an authority of Palabre's own, for trials and home networks), files, or acme.
	Source string `toml:"source"`
	// CertFile is the certificate with its chain, in PEM, when source is files. It is read again when it changes.
	CertFile string `toml:"cert_file"`
	// KeyFile is the key of CertFile, in PEM.
	KeyFile string `toml:"key_file"`
	// ACMEDirectory is the address of the authority when source is acme; empty for Let's Encrypt.
	ACMEDirectory string `toml:"acme_directory"`
	// ACMEEmail is told to the authority, for its warnings; optional.
	ACMEEmail string `toml:"acme_email"`
	// ACMEListen is the address for the authority's checks over plain HTTP (RFC 8555 §8.3). The world must reach it at port 80.
	ACMEListen string `toml:"acme_listen"`
	// ExtraNames are further DNS names or IP addresses for the certificate, beside the domain and the hosts of its services.
	ExtraNames []string `toml:"extra_names"`
}

// DefaultConfig makes an authority of our own.
func DefaultConfig() Config { return Config{Source: "own", ACMEListen: ":80"} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch c.Source {
	case "own", "acme":
		return nil
	case "files":
		if c.CertFile == "" || c.KeyFile == "" {
			return errors.New("source is files: cert_file and key_file are needed")
		}
		return nil
	}
	return fmt.Errorf("source: %q is not own, files or acme", c.Source)
}

// Source is an open source of certificates.
type Source struct {
	cfg  Config
	log  *slog.Logger
	get  func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	run  func(ctx context.Context) error
	ca   []byte // PEM, when the authority is our own
	acme *autocert.Manager
	ends atomic.Int64 // of the certificate that the authority gave last, in seconds since 1970
}

// Open prepares the source; folder is where it keeps what it makes, names are what the certificate is for: the domain first. public is
// where browsers are led that come to the port of the ACME checks.
func Open(cfg Config, folder string, names []string, public string, log *slog.Logger) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	names = append(names, cfg.ExtraNames...)
	s := &Source{cfg: cfg, log: log.With("part", "certificate")}
	switch cfg.Source {
	case "files":
		return s, s.openFiles()
	case "acme":
		s.openACME(folder, names, public)
		return s, nil
	}
	return s, s.openOwn(filepath.Join(folder, "own"), names)
}

// TLS is the configuration for listeners (RFC 7590, RFC 9325): TLS 1.2 and 1.3. It may be cloned and given other protocols.
func (s *Source) TLS() *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.get}
	if s.acme != nil {
		cfg.NextProtos = []string{acme.ALPNProto}
	}
	return cfg
}

// Ends is when the certificate in use ends; zero if that is not known without asking an authority.
func (s *Source) Ends() time.Time {
	if s.acme != nil {
		if at := s.ends.Load(); at != 0 {
			return time.Unix(at, 0)
		}
		return time.Time{}
	}
	one, err := s.get(nil)
	if err != nil || one == nil || one.Leaf == nil {
		return time.Time{}
	}
	return one.Leaf.NotAfter
}

// CA is the certificate of our own authority, in PEM, which people install in their devices; nil if the source is another.
func (s *Source) CA() []byte { return s.ca }

// Run keeps the certificate fresh until ctx ends.
func (s *Source) Run(ctx context.Context) error { return s.run(ctx) }

// current holds the certificate that is in use.
type current struct {
	atomic.Pointer[tls.Certificate]
}

func (c *current) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.Load(), nil }

// every calls fn at each tick until ctx ends.
func every(ctx context.Context, interval time.Duration, fn func()) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			fn()
		}
	}
}
