package transport

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// securedPair shakes hands on a loopback connection.
func securedPair(t *testing.T, server, client *tls.Config) (a, b *Stream, err error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			a = NewServer(conn, Config{})
			err = a.Secure(server, 5*time.Second)
		}
		accepted <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b = NewClient(conn, Config{})
	err = errors.Join(b.Secure(client, 5*time.Second), <-accepted)
	t.Cleanup(func() {
		if err := errors.Join(a.Abort(), b.Abort(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	return a, b, err
}

// Both ends have the same channel bindings, with a session that is resumed as well, where the server is asked for no certificate.
func TestBindings(t *testing.T) {
	certificate, roots := selfSigned(t)
	given := &tls.Config{Certificates: []tls.Certificate{certificate}}
	asked := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }}
	for name, base := range map[string]*tls.Config{"given": given, "asked": asked} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			server, client := ServerTLS(base), ClientTLS("localhost", roots)
			client.MaxVersion = version
			for i := range 3 {
				a, b, err := securedPair(t, server, client)
				if err != nil {
					t.Fatal(err)
				}
				if !a.Encrypted() || !b.Encrypted() {
					t.Error("not encrypted")
				}
				one, other := a.Bindings(), b.Bindings()
				if !bytes.Equal(one.Exporter, other.Exporter) || !bytes.Equal(one.EndPoint, other.EndPoint) || len(one.Types()) != 2 {
					t.Errorf("%s %x: %v and %v", name, version, one, other)
				}
				sent := send(t, a, a.Header(xmpp.Header{ID: "1"})) // brings the ticket along
				next(t, b, Open)
				<-sent
				resumed := b.conn.(*tls.Conn).ConnectionState().DidResume
				if i > 0 && !resumed {
					t.Errorf("%s %x: not resumed", name, version)
				}
			}
		}
	}
}

func TestOldTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	client := ClientTLS("localhost", roots)
	client.MinVersion, client.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	if _, _, err := securedPair(t, ServerTLS(&tls.Config{Certificates: []tls.Certificate{certificate}}), client); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func TestOtherProtocol(t *testing.T) {
	certificate, roots := selfSigned(t)
	client := ClientTLS("localhost", roots)
	client.NextProtos = []string{"h2"}
	if _, _, err := securedPair(t, ServerTLS(&tls.Config{Certificates: []tls.Certificate{certificate}}), client); err == nil {
		t.Error("a client that wants HTTP was accepted (XEP-0368 §2)")
	}
}

func TestInjected(t *testing.T) {
	server, client := pair(t, Config{})
	sent := send(t, client, client.Header(xmpp.Header{To: "localhost"}), []byte("<starttls xmlns='"+xmpp.NSTLS+"'/><iq/>"))
	next(t, server, Open)
	next(t, server, Element)
	<-sent
	if err := server.Secure(nil, time.Second); err != ErrInjected {
		t.Errorf("got %v", err)
	}
}

// A peer that begins a handshake and goes no further is given up.
func TestSilentHandshake(t *testing.T) {
	certificate, _ := selfSigned(t)
	server, _ := pair(t, Config{})
	err := server.Secure(ServerTLS(&tls.Config{Certificates: []tls.Certificate{certificate}}), 50*time.Millisecond)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
}

// A peer that does not read holds a Write only for so long.
func TestWriteTimeout(t *testing.T) {
	server, _ := pair(t, Config{WriteTimeout: 50 * time.Millisecond})
	var timeout net.Error
	if err := server.Write([]byte("<a/>")); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
}

// A read that timed out, within an element too, can be gone on with.
func TestReadTimeout(t *testing.T) {
	server, client := pair(t, Config{})
	sent := send(t, client, client.Header(xmpp.Header{To: "localhost"}), []byte("<a><b"))
	next(t, server, Open)
	if err := server.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := server.Next(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
	<-sent
	if err := server.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	sent = send(t, client, []byte("/></a>"))
	if e := next(t, server, Element).Element; e.Child("jabber:client", "b") == nil {
		t.Errorf("got %s", e)
	}
	<-sent
}

// A stream that waits holds the small buffer only, whatever came before.
func TestBufferGoesBack(t *testing.T) {
	server, client := pair(t, Config{MaxSize: 1 << 20})
	large := append(append([]byte("<a>"), bytes.Repeat([]byte("x"), 300_000)...), "</a>"...)
	sent := send(t, client, client.Header(xmpp.Header{To: "localhost"}), large)
	next(t, server, Open)
	next(t, server, Element)
	<-sent
	sent = send(t, client, []byte("<b/>"))
	next(t, server, Element)
	<-sent
	server.in.makeRoom()
	if len(server.in.buf) != smallBuffer || server.in.borrowed != nil {
		t.Errorf("holds %d bytes", len(server.in.buf))
	}
}
