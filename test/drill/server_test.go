// Package drill kills the real server at random moments, cuts its power, and fills its disk, and checks that nothing that it had
// acknowledged is lost, doubled or out of order, on any device of either side. The clients are those of package client; what they are
// promised is in its package comment. How often is set by flags; test/drill/run has the numbers of CI.
package drill

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

var kills = flag.Int("kills", 6, "how often the server is killed on SQLite; on PostgreSQL half as often")

const password = "Rien ne se perd"

// patience is how long anything may take; it is never waited for in full unless something is wrong.
const patience = 5 * time.Minute

// enough is how long a drill with so many failures may take in all: it ends what hangs, on the slowest machine.
func enough(times int) time.Duration { return time.Duration(times)*time.Minute + 4*patience }

// palabre is a server of its own folder and ports, started and killed as a process.
type palabre struct {
	t       *testing.T
	binary  string
	folder  string
	env     []string
	address string
	process *exec.Cmd
	gone    chan error // how the process ended
	output  *logFile
	roots   *x509.CertPool
	disk    *disk // nil for the machine's own
}

// logFile keeps what the server wrote, to show when a drill fails.
type logFile struct {
	mu    sync.Mutex
	lines []string
}

// Write keeps the lines of a program that writes here.
func (l *logFile) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l.add(strings.TrimSuffix(line, "\n"))
	}
	return len(text), nil
}

func (l *logFile) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, line); len(l.lines) > 200 {
		l.lines = l.lines[1:]
	}
}

func (l *logFile) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// programs is the folder of what is built once for all drills.
var programs string

func TestMain(m *testing.M) {
	code := m.Run()
	if programs != "" {
		if err := os.RemoveAll(programs); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// makePrograms makes the folder, which PostgreSQL's user can enter, too.
var makePrograms = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "palabre-drill-")
	if err != nil {
		return "", err
	}
	programs = folder
	return folder, os.Chmod(folder, 0o755)
})

// build makes the server's binary once.
var build = sync.OnceValues(func() (string, error) {
	folder, err := makePrograms()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, "palabre")
	output, err := exec.Command("go", "build", "-o", binary, "palabre.dev/palabre/cmd/palabre").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return binary, nil
})

// newServer prepares a server that keeps its data at a database URL, "" for SQLite in its folder.
func newServer(t *testing.T, database string) *palabre {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	p := &palabre{t: t, binary: binary, folder: t.TempDir(), address: freeAddress(t), output: &logFile{}}
	p.env = append(os.Environ(), "PALABRE_DATA="+filepath.Join(p.folder, "data"), "PALABRE_C2S_LISTEN="+p.address, "PALABRE_C2S_LISTEN_TLS=",
		"PALABRE_HTTP_LISTEN="+freeAddress(t), "PALABRE_HTTP_LOCAL="+freeAddress(t), "PALABRE_C2S_STANZA_RATE=0", "PALABRE_C2S_BYTE_RATE=0",
		"PALABRE_C2S_MAX_FAILURES=100000", "PALABRE_ARCHIVE_MAX_OFFLINE=10000000")
	if database != "" {
		p.env = append(p.env, "PALABRE_STORE_URL="+database)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's last words:\n%s", p.output)
		}
	})
	return p
}

// freeAddress is a port that nobody uses now. It is not one of those that the system gives to connections: while the server is away, a
// client that tries to reach it could be given the server's port as its own, and be connected with itself.
func freeAddress(t *testing.T) string {
	t.Helper()
	low := 32768 // Linux's default
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(text), &low); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(low-1-rand.IntN(6000))))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (p *palabre) environment() []string {
	if p.disk != nil {
		return append(p.disk.env(), p.env...)
	}
	return p.env
}

// add makes an account with the command that an operator would use.
func (p *palabre) add(name ...string) {
	p.t.Helper()
	add := exec.Command(p.binary, append([]string{"account", "add"}, name...)...)
	add.Env, add.Stdin = p.environment(), strings.NewReader(password+"\n")
	if output, err := add.CombinedOutput(); err != nil {
		p.t.Fatalf("account add %s: %v: %s", name, err, output)
	}
}

// start starts the server and returns when its doors are open.
func (p *palabre) start() {
	p.t.Helper()
	p.process = exec.Command(p.binary, "serve")
	p.process.Env = p.environment()
	p.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	reader, writer := io.Pipe()
	p.process.Stdout, p.process.Stderr = writer, writer
	if err := p.process.Start(); err != nil {
		p.t.Fatal(err)
	}
	open := make(chan bool)
	go func() {
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			p.output.add(lines.Text())
			if strings.HasPrefix(lines.Text(), "Palabre serves") {
				close(open)
			}
		}
	}()
	p.gone = make(chan error, 1)
	go func(process *exec.Cmd, gone chan<- error) { gone <- errors.Join(process.Wait(), writer.Close()) }(p.process, p.gone)
	select {
	case <-open:
	case err := <-p.gone:
		p.t.Fatalf("the server ended: %v\n%s", err, p.output)
	case <-time.After(patience):
		p.t.Fatalf("the server does not start:\n%s", p.output)
	}
}

// kill ends the server between two instructions.
func (p *palabre) kill() { p.end(syscall.SIGKILL) }

// stop ends the server in order.
func (p *palabre) stop() { p.end(syscall.SIGTERM) }

func (p *palabre) end(signal syscall.Signal) {
	p.t.Helper()
	if err := p.process.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	if err := <-p.gone; err != nil && signal == syscall.SIGTERM {
		p.t.Errorf("the server did not stop in order: %v", err)
	}
}

// certificates are the authorities that the server's own certificate is checked against.
func (p *palabre) certificates() *x509.CertPool {
	p.t.Helper()
	if p.roots == nil {
		pem, err := os.ReadFile(filepath.Join(p.folder, "data/certificates/own/ca.crt"))
		if err != nil {
			p.t.Fatal(err)
		}
		p.roots = x509.NewCertPool()
		p.roots.AppendCertsFromPEM(pem)
	}
	return p.roots
}

// config is what a device of an account needs.
func (p *palabre) config(name string) client.Config {
	jid := xmpp.MustJID(name + "@localhost")
	return client.Config{JID: jid, Password: password, Method: client.StartTLS, Server: p.address, MinBackoff: 20 * time.Millisecond,
		MaxBackoff: 200 * time.Millisecond, Roots: p.certificates(), TLS: &tls.Config{RootCAs: p.certificates(), ServerName: "localhost", MinVersion: tls.VersionTLS12}}
}

// connect brings a device online and available.
func (p *palabre) connect(ctx context.Context, cfg client.Config) *client.Client {
	p.t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Kill)
	if err := c.Connect(ctx); err != nil {
		p.t.Fatalf("%s: %v", cfg.JID, err)
	}
	if err := c.SetPresence(ctx, client.Presence{}); err != nil {
		p.t.Fatalf("%s: %v", cfg.JID, err)
	}
	return c
}
