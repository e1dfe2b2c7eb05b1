package palabretest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Accounts are those of the test server, kept in memory.
type Accounts struct {
	mu       sync.Mutex // guards what follows
	names    []string   // the id is the place, from 1
	disabled map[string]bool
	changed  map[string][]sasl.Credential // of those that have another password than the usual one
}

func newAccounts() *Accounts {
	return &Accounts{names: []string{"romeo", "juliet", "mercutio", "nurse"}, disabled: map[string]bool{}, changed: map[string][]sasl.Credential{}}
}

// Add makes an account with the usual password.
func (a *Accounts) Add(name string) *core.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Contains(a.names, name) {
		a.names = append(a.names, name)
	}
	return a.account(name)
}

// Get is an account that exists, nil if it does not.
func (a *Accounts) Get(name string) *core.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.account(name)
}

// Disable closes an account for login.
func (a *Accounts) Disable(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.disabled[name] = true
}

// SetPassword gives an account another password. It does nothing else: tokens and sessions stay.
func (a *Accounts) SetPassword(name, password string) error {
	fresh, err := derive(password)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changed[name] = fresh
	return nil
}

func (a *Accounts) account(name string) *core.Account {
	i := slices.Index(a.names, name)
	if i < 0 {
		return nil
	}
	return &core.Account{ID: int64(i + 1), JID: xmpp.MustJID(name + "@" + Domain)}
}

// Account is for the core.
func (a *Accounts) Account(_ context.Context, bare xmpp.JID) (*core.Account, error) {
	if account := a.Get(bare.Local()); account != nil {
		return account, nil
	}
	return nil, core.ErrNoAccount
}

// Credentials are for the client door.
func (a *Accounts) Credentials(_ context.Context, name string) ([]sasl.Credential, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.account(name) == nil {
		return nil, false, sasl.ErrUnknownUser
	}
	if changed, has := a.changed[name]; has {
		return changed, a.disabled[name], nil
	}
	credentials, err := credentials()
	return credentials, a.disabled[name], err
}

// Iterations are those of the credentials.
func (a *Accounts) Iterations() int { return sasl.MinIterations }

// credentials are made once: all accounts begin with the same password.
var credentials = sync.OnceValues(func() ([]sasl.Credential, error) { return derive(Password) })

func derive(password string) (out []sasl.Credential, err error) {
	for _, hash := range []sasl.Hash{sasl.SHA256, sasl.SHA1} {
		one, err := sasl.NewCredential(hash, password, sasl.MinIterations)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// certificate is made once for all servers of a process.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: Domain}, DNSNames: []string{Domain},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
})

func roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(certificate().Leaf)
	return pool
}
