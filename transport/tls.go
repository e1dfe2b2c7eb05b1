package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"palabre.dev/palabre/xmpp/sasl"
)

// ALPN is the protocol name of TLS from the first byte (XEP-0368 §2).
const ALPN = "xmpp-client"

// noted is a connection that remembers which certificate its TLS handshake used: crypto/tls does not tell the server.
type noted struct {
	net.Conn
	certificate *tls.Certificate
}

// ServerTLS makes of base, which has Certificates or GetCertificate, what Secure wants at a server: TLS 1.2 or 1.3 (RFC 7590) with
// ALPN, and the certificate noted for channel binding. Make it once; session tickets work across connections.
func ServerTLS(base *tls.Config) *tls.Config {
	cfg := base.Clone()
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	cfg.NextProtos = []string{ALPN}
	cfg.DynamicRecordSizingDisabled = true // one write, one record, one system call
	// Asked for every handshake, also for resumed ones, which ask for no certificate.
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		conn, ok := hello.Conn.(*noted)
		if !ok {
			return nil, nil
		}
		certificate, err := choose(base, hello)
		conn.certificate = certificate
		return nil, err
	}
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if conn, ok := hello.Conn.(*noted); ok && conn.certificate != nil {
			return conn.certificate, nil
		}
		return choose(base, hello)
	}
	cfg.Certificates = nil
	return cfg
}

// choose is what crypto/tls does with the same configuration.
func choose(base *tls.Config, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if base.GetCertificate != nil {
		if certificate, err := base.GetCertificate(hello); certificate != nil || err != nil {
			return certificate, err
		}
	}
	for i := range base.Certificates {
		if hello.SupportsCertificate(&base.Certificates[i]) == nil {
			return &base.Certificates[i], nil
		}
	}
	if len(base.Certificates) == 0 {
		return nil, errors.New("no certificate")
	}
	return &base.Certificates[0], nil
}

type secured struct {
	conn     *tls.Conn
	bindings sasl.Bindings
}

// handshake runs in a goroutine of its own, since cryptography grows the stack, which an idle session would keep.
func handshake(conn net.Conn, cfg *tls.Config, server bool, timeout time.Duration) (secured, error) {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return secured{}, err
	}
	type outcome struct {
		secured
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		s, err := shake(conn, cfg, server)
		done <- outcome{s, err}
	}()
	out := <-done
	if out.err != nil {
		return secured{}, out.err
	}
	return out.secured, conn.SetDeadline(time.Time{})
}

func shake(conn net.Conn, cfg *tls.Config, server bool) (secured, error) {
	if !server {
		t := tls.Client(conn, cfg)
		if err := t.Handshake(); err != nil {
			return secured{}, err
		}
		state := t.ConnectionState()
		return secured{t, sasl.TLSBindings(&state, state.PeerCertificates[0])}, nil
	}
	note := &noted{Conn: conn}
	t := tls.Server(note, cfg)
	if err := t.Handshake(); err != nil {
		return secured{}, err
	}
	state := t.ConnectionState()
	leaf, err := leafOf(note.certificate)
	if err != nil {
		return secured{}, err
	}
	note.certificate = nil
	return secured{t, sasl.TLSBindings(&state, leaf)}, nil
}

// leafOf is nil for no certificate, which leaves tls-server-end-point out.
func leafOf(certificate *tls.Certificate) (*x509.Certificate, error) {
	switch {
	case certificate == nil:
		return nil, nil
	case certificate.Leaf != nil:
		return certificate.Leaf, nil
	}
	return x509.ParseCertificate(certificate.Certificate[0])
}

// ClientTLS is a client's configuration for a server that is to prove that it is domain (RFC 7590 §3.4), also for connections that
// begin with TLS.
func ClientTLS(domain string, roots *x509.CertPool) *tls.Config {
	return &tls.Config{ServerName: domain, RootCAs: roots, MinVersion: tls.VersionTLS12, NextProtos: []string{ALPN},
		DynamicRecordSizingDisabled: true, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}
