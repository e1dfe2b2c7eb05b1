//go:build interop

package acme

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// authority is Pebble, the test authority of Let's Encrypt's makers, with a name server for which every name is this machine.
type authority struct {
	directory  string
	trust      string         // file with the certificate of its own door
	roots      *x509.CertPool // what it signs with
	management string
	client     *http.Client
}

// checks are the ports at which the authority looks for the proof of a name: where RFC 8555 has 80 and RFC 8737 has 443.
type checks struct{ http, tls int }

// newAuthority starts one whose certificates live for so long.
func newAuthority(t *testing.T, at checks, life time.Duration) *authority {
	t.Helper()
	program := os.Getenv("PEBBLE")
	if program == "" {
		t.Fatal("PEBBLE does not name the program; test/interop/install has it built")
	}
	folder := t.TempDir()
	door, management := freePort(t), freePort(t)
	a := &authority{directory: "https://127.0.0.1:" + strconv.Itoa(door) + "/dir", trust: filepath.Join(folder, "door.pem"),
		management: "https://127.0.0.1:" + strconv.Itoa(management)}
	key := a.certify(t, folder)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": "127.0.0.1:" + strconv.Itoa(door), "managementListenAddress": "127.0.0.1:" + strconv.Itoa(management),
		"certificate": a.trust, "privateKey": key, "httpPort": at.http, "tlsPort": at.tls, "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "the only one", "validityPeriod": int(life / time.Second)}},
	}})
	must(t, err)
	file := filepath.Join(folder, "pebble.json")
	must(t, os.WriteFile(file, config, 0o600))
	command := exec.Command(program, "-config", file, "-dnsserver", nameServer(t))
	command.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	start(t, command)
	a.learnRoots(t)
	return a
}

// certify makes the certificate of the authority's own door.
func (a *authority) certify(t *testing.T, folder string) (keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	keyFile = filepath.Join(folder, "door.key")
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	must(t, os.WriteFile(a.trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.client = &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	return keyFile
}

// learnRoots waits until the authority answers and asks what it signs with.
func (a *authority) learnRoots(t *testing.T) {
	t.Helper()
	await(t, "the authority", func() error {
		response, err := a.client.Get(a.management + "/roots/0")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		root, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		a.roots = x509.NewCertPool()
		a.roots.AppendCertsFromPEM(root)
		return nil
	})
}

// nameServer answers every question for an IPv4 address with that of this machine, and others with nothing. Pebble asks over TCP.
func nameServer(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var work sync.WaitGroup
	t.Cleanup(func() { must(t, l.Close()); work.Wait() })
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				if err := answer(conn); err != nil && !errors.Is(err, io.EOF) {
					t.Errorf("name server: %v", err)
				}
			})
		}
	})
	return l.Addr().String()
}

// answer answers the questions of a connection, each behind its length (RFC 1035 §4.2.2).
func answer(conn net.Conn) error {
	for {
		var size uint16
		if err := binary.Read(conn, binary.BigEndian, &size); err != nil {
			return err
		}
		question := make([]byte, size)
		if _, err := io.ReadFull(conn, question); err != nil {
			return err
		}
		text, err := resolve(question)
		if err != nil {
			return err
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...)); err != nil {
			return err
		}
	}
}

func resolve(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
		}
	}
	return m.Pack()
}
