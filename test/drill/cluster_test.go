package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// cluster is a PostgreSQL server of its own on a disk that forgets.
type cluster struct {
	t       *testing.T
	bin     string
	disk    *disk
	port    string
	as      *syscall.Credential // PostgreSQL refuses to run as root
	process *exec.Cmd
	output  *logFile
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	folder, err := os.MkdirTemp("", "palabre-cluster-") // not t.TempDir: another user must be able to enter
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, bin: postgresFolder(t), output: &logFile{}}
	c.disk = newDisk(t, filepath.Join(folder, "data"))
	c.disk.follow = true // PostgreSQL relies on it for the files of new tables
	_, c.port, err = net.SplitHostPort(freeAddress(t))
	c.disk.must(err)
	c.changeUser()
	c.disk.must(os.Chown(folder, c.disk.uid, -1))
	// Orphans of a killed server come to this process, which can then wait for their end.
	c.disk.must(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	t.Cleanup(func() {
		if c.process != nil {
			c.kill()
		}
		if t.Failed() {
			t.Logf("PostgreSQL's last words:\n%s", c.output)
		}
		os.RemoveAll(folder)
	})
	c.run("initdb", "--pgdata="+c.disk.root, "--username=palabre", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1")
	c.disk.begin()
	c.start()
	return c
}

func postgresFolder(t *testing.T) string {
	t.Helper()
	folders := []string{os.Getenv("PALABRE_POSTGRES_BIN")}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	folders = append(folders, found...)
	if path, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); folder != "" && err == nil {
			return folder
		}
	}
	t.Fatal("no PostgreSQL server found; set PALABRE_POSTGRES_BIN")
	return ""
}

func (c *cluster) changeUser() {
	if os.Getuid() != 0 {
		return
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		who, err = user.Lookup("nobody")
	}
	c.disk.must(err)
	uid, err := strconv.Atoi(who.Uid)
	c.disk.must(err)
	gid, err := strconv.Atoi(who.Gid)
	c.disk.must(err)
	c.disk.uid, c.as = uid, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	c.disk.must(os.Chmod(c.disk.kept, 0o700))
}

func (c *cluster) run(name string, args ...string) {
	c.t.Helper()
	command := exec.Command(filepath.Join(c.bin, name), args...)
	command.Dir, command.SysProcAttr = "/", &syscall.SysProcAttr{Credential: c.as}
	if output, err := command.CombinedOutput(); err != nil {
		c.t.Fatalf("%s: %v: %s", name, err, output)
	}
}

// start starts the server and returns when it takes connections.
func (c *cluster) start() {
	c.t.Helper()
	c.disk.must(ignoreMissing(os.Remove(filepath.Join(c.disk.root, "postmaster.pid"))))
	c.process = exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.disk.root, "-k", "", "-h", "127.0.0.1", "-p", c.port, "-c", "max_connections=60",
		"-c", "shared_buffers=16MB", "-c", "min_wal_size=4MB", "-c", "max_wal_size=8MB", "-c", "checkpoint_timeout=30s", "-c", "fsync=on",
		"-c", "synchronous_commit=on", "-c", "full_page_writes=on")
	c.process.Dir = "/"
	c.process.Env = append(os.Environ(), c.disk.env()...)
	c.process.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Pdeathsig: syscall.SIGKILL}
	c.process.Stdout, c.process.Stderr = c.output, c.output
	c.disk.must(c.process.Start())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for try := time.NewTicker(250 * time.Millisecond); ; {
		conn, err := pgx.Connect(ctx, c.url())
		if err == nil {
			try.Stop()
			c.disk.must(conn.Close(ctx))
			return
		}
		select {
		case <-try.C:
		case <-ctx.Done():
			c.t.Fatalf("PostgreSQL does not start: %v", err)
		}
	}
}

func (c *cluster) url() string {
	return "postgres://palabre@127.0.0.1:" + c.port + "/postgres?sslmode=disable"
}

// stop ends the server in order.
func (c *cluster) stop() {
	c.t.Helper()
	c.disk.must(c.process.Process.Signal(syscall.SIGINT))
	c.disk.must(c.process.Wait())
	c.process = nil
}

// kill ends all of the server's processes at once: none may write when another is gone already.
func (c *cluster) kill() {
	c.t.Helper()
	postmaster := c.process.Process.Pid
	freeze(c.t, postmaster)
	all := children(c.t, postmaster)
	for _, pid := range all {
		freeze(c.t, pid)
	}
	for _, pid := range append(all, postmaster) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			c.t.Fatal(err)
		}
	}
	if err := c.process.Wait(); err == nil {
		c.t.Fatal("PostgreSQL had ended by itself")
	}
	for _, pid := range all {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil && !errors.Is(err, syscall.ECHILD) {
			c.t.Fatal(err)
		}
	}
	c.process = nil
}

// pause stops all of the server's processes for a while: connections stay, and nobody answers.
func (c *cluster) pause(while time.Duration) {
	c.t.Helper()
	postmaster := c.process.Process.Pid
	freeze(c.t, postmaster)
	all := append(children(c.t, postmaster), postmaster)
	for _, pid := range all {
		freeze(c.t, pid)
	}
	<-time.After(while)
	for _, pid := range all {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
			c.t.Fatal(err)
		}
	}
}

// freeze stops a process and returns when it is in no system call any more.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	for look := time.NewTicker(time.Millisecond); ; <-look.C {
		if state, _ := status(pid); state == "" || strings.Contains("TZX", state) {
			look.Stop()
			return
		}
	}
}

// status is the state and the parent of a process, "" when it is gone.
func status(pid int) (state string, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	rest := string(text)[strings.LastIndexByte(string(text), ')')+1:]
	if _, err := fmt.Sscan(rest, &state, &parent); err != nil {
		return "", 0
	}
	return state, parent
}

func children(t *testing.T, parent int) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if _, of := status(pid); of == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (c *cluster) cut() {
	c.t.Helper()
	f := fates[rand.IntN(len(fates)-1)] // not the last: a journaling file system keeps names in order
	c.t.Logf("PostgreSQL; of what was not synced survives: %s", f.name)
	c.disk.cut(f)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
