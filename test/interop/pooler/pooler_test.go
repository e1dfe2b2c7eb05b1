//go:build interop

// Package pooler puts PgBouncer between the real program and PostgreSQL. Where a pooler changes the session between transactions, nothing
// keeps a second server out: Palabre must not start. It needs Debian's package pgbouncer; PALABRE names the program:
//
//	test/with-postgres go test -tags interop ./test/interop/pooler
package pooler

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestPooler(t *testing.T) {
	for _, c := range []struct{ mode, robin, want string }{
		{"session", "0", "made romeo@localhost"},
		{"transaction", "0", "pooler"},
		{"transaction", "1", "pooler"}, // takes turns among its sessions
		{"statement", "0", "pool"},
	} {
		t.Run(c.mode+c.robin, func(t *testing.T) {
			database := through(t, c.mode, c.robin)
			add := exec.Command(os.Getenv("PALABRE"), "account", "add", "romeo")
			add.Env = append(os.Environ(), "PALABRE_DATA="+filepath.Join(t.TempDir(), "data"), "PALABRE_STORE_URL="+database)
			add.Stdin = strings.NewReader("Rien ne se perd\n")
			output, err := add.CombinedOutput()
			if !strings.Contains(string(output), c.want) || (err == nil) != (c.mode == "session") {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
}

// through starts PgBouncer before the PostgreSQL server that the tests are given, and returns the address of the database behind it.
func through(t *testing.T, mode, robin string) (database string) {
	t.Helper()
	target, err := url.Parse(os.Getenv("PALABRE_TEST_POSTGRES"))
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := l.Addr().String()
	must(t, l.Close())
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	folder, err := os.MkdirTemp("", "palabre-pooler-") // not t.TempDir: another user must be able to read in it
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(folder)) })
	must(t, os.Chmod(folder, 0o755))
	file := filepath.Join(folder, "pgbouncer.ini")
	must(t, os.WriteFile(file, fmt.Appendf(nil, `[databases]
postgres = host=127.0.0.1 port=%s dbname=postgres user=palabre
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = %s
server_round_robin = %s
ignore_startup_parameters = enable_seqscan,default_transaction_read_only
`, target.Port(), port, mode, robin), 0o644))
	start(t, exec.Command("/usr/sbin/pgbouncer", file), address)
	return "postgres://palabre@" + address + "/postgres?sslmode=disable"
}

// start runs PgBouncer, which refuses to do so as root, until the test ends.
func start(t *testing.T, bouncer *exec.Cmd, address string) {
	t.Helper()
	var words strings.Builder
	bouncer.Stdout, bouncer.Stderr = &words, &words
	bouncer.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		who, err := user.Lookup("postgres")
		must(t, err)
		uid, err := strconv.Atoi(who.Uid)
		must(t, err)
		gid, err := strconv.Atoi(who.Gid)
		must(t, err)
		bouncer.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	must(t, bouncer.Start())
	gone := make(chan error, 1)
	go func() { gone <- bouncer.Wait() }()
	t.Cleanup(func() {
		if err := bouncer.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		<-gone
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			must(t, conn.Close())
			return
		}
		select {
		case err := <-gone:
			gone <- err
			t.Fatalf("pgbouncer ended: %v: %s", err, words.String())
		case <-end:
			t.Fatal("pgbouncer does not start")
		case <-tick.C:
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
