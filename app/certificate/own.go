package certificate

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	caLife      = 10 * 365 * 24 * time.Hour
	leafLife    = 365 * 24 * time.Hour
	renewBefore = 60 * 24 * time.Hour
	renewCheck  = time.Hour
	clockSkew   = time.Hour // devices with slow clocks
)

// openOwn opens or makes our own authority and has it sign a certificate for the names. The authority is constrained to those names
// (RFC 5280 §4.2.1.10), so that a device which trusts it trusts nothing else because of it.
func (s *Source) openOwn(folder string, names []string) error {
	if err := makeFolder(folder); err != nil {
		return fmt.Errorf("make folder for certificates: %w", err)
	}
	names = withLocalNames(names)
	ca, err := openCA(folder, names)
	if err != nil {
		return err
	}
	s.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Leaf.Raw})
	leaf, err := openLeaf(folder, ca, names)
	if err != nil {
		return err
	}
	var now current
	now.Store(leaf)
	s.get = now.get
	s.run = func(ctx context.Context) error {
		return every(ctx, renewCheck, func() { s.renewOwn(folder, ca, names, &now) })
	}
	return nil
}

func (s *Source) renewOwn(folder string, ca *tls.Certificate, names []string, now *current) {
	leaf, err := openLeaf(folder, ca, names)
	if err != nil {
		s.log.Error("could not renew the certificate", "err", err)
		return
	}
	now.Store(leaf)
}

func withLocalNames(names []string) []string {
	all := slices.Clone(names)
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// openCA reads the authority, or makes one when there is none or when it must not sign for all of the names.
func openCA(folder string, names []string) (*tls.Certificate, error) {
	ca, err := readPair(folder, "ca")
	if err != nil || ca != nil && mayIssue(ca.Leaf, names) && time.Until(ca.Leaf.NotAfter) > leafLife {
		return ca, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Palabre at " + names[0], Organization: []string{"Palabre"}},
		NotBefore: time.Now().Add(-clockSkew), NotAfter: time.Now().Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.PermittedIPRanges = append(template.PermittedIPRanges, hostRange(ip))
		} else {
			template.PermittedDNSDomains = append(template.PermittedDNSDomains, name)
		}
	}
	return makePair(folder, "ca", template, nil)
}

func hostRange(ip net.IP) *net.IPNet {
	if v4 := ip.To4(); v4 != nil {
		return &net.IPNet{IP: v4, Mask: net.CIDRMask(32, 32)}
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}
}

func mayIssue(ca *x509.Certificate, names []string) bool {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			if !slices.ContainsFunc(ca.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(ip) }) {
				return false
			}
		} else if !slices.ContainsFunc(ca.PermittedDNSDomains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) }) {
			return false
		}
	}
	return true
}

// openLeaf reads the server's certificate, or makes one when there is none, or it is old, or the names or the authority have changed.
func openLeaf(folder string, ca *tls.Certificate, names []string) (*tls.Certificate, error) {
	leaf, err := readPair(folder, "server")
	if err != nil || leaf != nil && fits(leaf.Leaf, ca.Leaf, names) {
		return withCA(leaf, ca), err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, NotBefore: time.Now().Add(-clockSkew), NotAfter: time.Now().Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	leaf, err = makePair(folder, "server", template, ca)
	return withCA(leaf, ca), err
}

// withCA adds the authority's certificate to what is sent, so that people can see and pin it.
func withCA(leaf, ca *tls.Certificate) *tls.Certificate {
	if leaf != nil && len(leaf.Certificate) == 1 {
		leaf.Certificate = append(leaf.Certificate, ca.Leaf.Raw)
	}
	return leaf
}

func fits(leaf, ca *x509.Certificate, names []string) bool {
	if time.Until(leaf.NotAfter) < renewBefore || leaf.CheckSignatureFrom(ca) != nil || len(leaf.DNSNames)+len(leaf.IPAddresses) != len(names) {
		return false
	}
	return !slices.ContainsFunc(names, func(name string) bool { return leaf.VerifyHostname(name) != nil })
}

// readPair reads a key and its certificate, which are one file so that no crash can leave one without the other; nil if there is none.
// The certificate's copy for people is made again if it is not the same.
func readPair(folder, name string) (*tls.Certificate, error) {
	both, err := os.ReadFile(filepath.Join(folder, name+".key"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.X509KeyPair(both, both)
	}
	if err != nil {
		return nil, fmt.Errorf("read our own certificate %s in %s: %w", name, folder, err)
	}
	return &pair, copyCertificate(folder, name, pair.Certificate[0])
}

func copyCertificate(folder, name string, der []byte) error {
	path := filepath.Join(folder, name+".crt")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, text) {
		return nil
	}
	return writeFile(path, text, 0o644)
}

// makePair makes a key and a certificate that ca signs, or that signs itself if ca is nil, and keeps them.
func makePair(folder, name string, template *x509.Certificate, ca *tls.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	parent, signer := template, crypto.PrivateKey(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", name, err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", name, err)
	}
	both := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if err := writeFile(filepath.Join(folder, name+".key"), both, 0o600); err != nil {
		return nil, err
	}
	if err := copyCertificate(folder, name, der); err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", name, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// isPublicName reports whether a public authority could sign for the name.
func isPublicName(name string) bool {
	return net.ParseIP(name) == nil && name != "localhost" && strings.Contains(name, ".")
}
