//go:build interop

package pay

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func pool(certificate []byte) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots
}

// made waits until a file is there.
func (p *place) made(name string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; {
		_, err := os.Stat(p.path(name))
		if err == nil {
			return
		}
		if time.Now().After(end) {
			p.t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// await waits until the server takes people.
func (p *place) await() {
	p.t.Helper()
	for end := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.c2s))
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(end) {
			p.t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
}
