package sasl

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"
)

func selfSigned(t *testing.T, key any, public any) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func ecdsaCertificate(t *testing.T, curve elliptic.Curve) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return selfSigned(t, key, key.Public())
}

// handshake returns the channel bindings as the two ends of one new TLS connection see them.
func handshake(t *testing.T, certificate tls.Certificate, version uint16) (atServer, atClient Bindings) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	server := tls.Server(near, &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: version, SessionTicketsDisabled: true})
	client := tls.Client(far, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	result := make(chan error, 1)
	go func() { result <- server.Handshake() }()
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	serverState, clientState := server.ConnectionState(), client.ConnectionState()
	return TLSBindings(&serverState, certificate.Leaf), TLSBindings(&clientState, clientState.PeerCertificates[0])
}

func TestBindingsOfRealConnections(t *testing.T) {
	certificate := ecdsaCertificate(t, elliptic.P256())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server, client := handshake(t, certificate, version)
		if len(server.Exporter) != 32 || !bytes.Equal(server.Exporter, client.Exporter) {
			t.Errorf("%x: exporters %x and %x", version, server.Exporter, client.Exporter)
		}
		if len(server.EndPoint) != 32 || !bytes.Equal(server.EndPoint, client.EndPoint) {
			t.Errorf("%x: end points %x and %x", version, server.EndPoint, client.EndPoint)
		}
		other, _ := handshake(t, certificate, version)
		if bytes.Equal(other.Exporter, server.Exporter) || !bytes.Equal(other.EndPoint, server.EndPoint) {
			t.Errorf("%x: two connections give %v and %v", version, server, other)
		}
		offer := NewOffer(preference, server, true)
		if _, _, err := converse(t, ScramSHA256Plus, testClientConfig(offer, client), testServerConfig(offer, server)); err != nil {
			t.Errorf("%x: %v", version, err)
		}
	}
}

func TestEndPointHash(t *testing.T) {
	p256, p521 := ecdsaCertificate(t, elliptic.P256()).Leaf, ecdsaCertificate(t, elliptic.P521()).Leaf
	if want := sha256.Sum256(p256.Raw); !bytes.Equal(EndPoint(p256), want[:]) {
		t.Error("ECDSA with SHA-256")
	}
	if want := sha512.Sum512(p521.Raw); !bytes.Equal(EndPoint(p521), want[:]) {
		t.Error("ECDSA with SHA-512")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got := EndPoint(selfSigned(t, private, public).Leaf); got != nil {
		t.Errorf("Ed25519, undefined by RFC 5929 §4.1: %x", got)
	}
}
