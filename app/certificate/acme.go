package certificate

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

const (
	acmeFirstPause = time.Minute // after a certificate could not be had; authorities count failures by the hour
	acmeLastPause  = time.Hour
	acmeTimeout    = 10 * time.Second // of a request to the port of the checks
)

// openACME gets a certificate for each name that a public authority could sign for. What it gets is kept in folder, with the key of the
// account there.
func (s *Source) openACME(folder string, names []string, public string) {
	hosts := names[:0:0]
	for _, name := range names {
		if isPublicName(name) {
			hosts = append(hosts, name)
		}
	}
	s.acme = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(folder, "acme")), Email: s.cfg.ACMEEmail,
		HostPolicy: onlyFor(hosts),
	}
	if s.cfg.ACMEDirectory != "" {
		s.acme.Client = &acme.Client{DirectoryURL: s.cfg.ACMEDirectory}
	}
	domain := names[0]
	s.get = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "" { // old apps name nobody
			named := *hello
			named.ServerName = domain
			hello = &named
		}
		cert, err := s.acme.GetCertificate(hello)
		if err == nil && cert.Leaf != nil {
			s.ends.Store(cert.Leaf.NotAfter.Unix())
		}
		return cert, err
	}
	s.run = func(ctx context.Context) error { return s.runACME(ctx, hosts, public) }
}

// onlyFor lets certificates be asked, and checks be answered, for these hosts alone. Requests to a port other than 80 name it with the host.
func onlyFor(hosts []string) autocert.HostPolicy {
	only := autocert.HostWhitelist(hosts...)
	return func(ctx context.Context, host string) error {
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		return only(ctx, host)
	}
}

// runACME answers the authority's checks and leads everybody else to public. It gets all certificates at once, so that no app waits for
// the first, and what is wrong is in the log; from then on they are renewed by themselves.
func (s *Source) runACME(ctx context.Context, hosts []string, public string) error {
	server := &http.Server{
		Handler: s.acme.HTTPHandler(leadTo(public)), ReadTimeout: acmeTimeout, WriteTimeout: acmeTimeout, MaxHeaderBytes: 16 << 10,
	}
	listener, err := net.Listen("tcp", s.cfg.ACMEListen)
	if err != nil {
		return fmt.Errorf("listen for acme checks: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	getting, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	for _, host := range hosts {
		work.Go(func() { s.obtain(getting, host) })
	}
	if err := server.Serve(listener); ctx.Err() == nil {
		return fmt.Errorf("serve acme checks: %w", err)
	}
	return nil
}

// leadTo leads browsers to the same path at another address; anything else than reading is refused.
func leadTo(public string) http.Handler {
	if public == "" {
		return http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "use HTTPS", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, public+r.URL.RequestURI(), http.StatusFound)
	})
}

// obtain gets the certificate for a host, or reads the one that is kept; either begins its renewals. It tries until it has it.
func (s *Source) obtain(ctx context.Context, host string) {
	modern := &tls.ClientHelloInfo{ServerName: host, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves: []tls.CurveID{tls.CurveP256}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
	for pause := acmeFirstPause; ; pause = min(2*pause, acmeLastPause) {
		cert, err := s.within(ctx, modern)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			s.ends.Store(cert.Leaf.NotAfter.Unix())
			s.log.Info("certificate", "host", host, "expires", cert.Leaf.NotAfter)
			return
		}
		s.log.Error("could not get a certificate: the authority must reach this host at port 80, or HTTPS here at port 443", "host", host, "pause", pause, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// within is the manager's GetCertificate, which knows no context and may take minutes: its end is not waited for when ctx ends.
func (s *Source) within(ctx context.Context, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	type answer struct {
		cert *tls.Certificate
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		cert, err := s.acme.GetCertificate(hello)
		got <- answer{cert, err}
	}()
	select {
	case a := <-got:
		return a.cert, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
