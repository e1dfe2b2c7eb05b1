package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// The test binary is the program when this is set.
const beProgram = "PALABRE_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// place is a folder with a configuration in which the program is run.
type place struct {
	t      *testing.T
	folder string
}

func newPlace(t *testing.T, db store.Config, more string) *place {
	t.Helper()
	p := &place{t, t.TempDir()}
	text := fmt.Sprintf("%s\n[store]\nurl = %q\n[c2s]\nlisten = ['127.0.0.1:0']\nlisten_tls = ['127.0.0.1:0']\n"+
		"[http]\nlisten = ['127.0.0.1:0']\nlocal = '127.0.0.1:0'\n[account]\niterations = 4096\n", more, db.URL)
	if err := os.WriteFile(filepath.Join(p.folder, "palabre.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = p.folder
	cmd.Env = append(os.Environ(), beProgram+"=1", "PALABRE_CONFIG=")
	return cmd
}

// try runs the program and returns all that it wrote.
func (p *place) try(input string, args ...string) (string, error) {
	cmd := p.command(args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *place) run(input string, args ...string) string {
	p.t.Helper()
	out, err := p.try(input, args...)
	if err != nil {
		p.t.Fatalf("palabre %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// served is a server in a process of its own.
type served struct {
	cmd   *exec.Cmd
	local string // address of metrics and health
	link  string // of the first invitation
}

// serve starts a server and reads what it says until it is open.
func (p *place) serve() *served {
	p.t.Helper()
	s := &served{cmd: p.command("serve")}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	var log bytes.Buffer
	s.cmd.Stderr = &log
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.kill(p.t)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case strings.Contains(lines.Text(), "metrics and health"):
			s.local = fields[len(fields)-1]
		case strings.Contains(lines.Text(), "in a browser"):
			s.link = fields[len(fields)-1]
		case strings.Contains(lines.Text(), "palabre doctor looks"):
			return s
		}
	}
	err = s.cmd.Wait()
	p.t.Fatalf("the server ended: %v\n%s", err, log.String())
	return nil
}

func (s *served) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	if err := s.cmd.Wait(); err == nil {
		t.Error("killed, and ended well")
	}
}

// stop ends the server in order.
func (s *served) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Error("stop:", err)
	}
}

func (p *place) accounts() map[string]account.Entry {
	p.t.Helper()
	all := map[string]account.Entry{}
	decoder := json.NewDecoder(strings.NewReader(p.run("", "account", "list", "--json")))
	for {
		var e account.Entry
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			p.t.Fatal(err)
		}
		all[e.Name] = e
	}
}

// The same commands work while the server runs and while it does not, on both databases.
func TestAccountsFromTheCommandLine(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			db := storetest.Config(t, engine)
			if engine == storetest.SQLite {
				db = storetest.File(t)
			}
			p := newPlace(t, db, "")
			p.run("wherefore\n", "account", "add", "--admin", "romeo")
			s := p.serve()
			if s.link != "" {
				t.Error("offers to make the first administrator though there is an account")
			}
			p.run("wherefore\n", "account", "add", "juliet")
			p.run("", "account", "disable", "juliet@localhost")
			if out, err := p.try("wherefore\n", "account", "add", "juliet"); err == nil || !strings.Contains(out, "taken") {
				t.Errorf("twice: %v %s", err, out)
			}
			if out, err := p.try("no\n", "account", "remove", "romeo"); err == nil || !strings.Contains(out, "nothing was done") {
				t.Errorf("not sure: %v %s", err, out)
			}
			s.stop(t)
			p.run("therefore\n", "account", "passwd", "romeo")
			p.run("", "account", "admin", "juliet")
			p.run("", "account", "remove", "--yes", "romeo")
			all := p.accounts()
			if e := all["juliet"]; len(all) != 1 || !e.Disabled || e.Role != account.Admin {
				t.Errorf("accounts %+v", all)
			}
		})
	}
}

func TestFirstStart(t *testing.T) {
	p := newPlace(t, storetest.File(t), "")
	s := p.serve()
	if !strings.HasPrefix(s.link, "https://localhost") || !strings.Contains(s.link, "/invite/") {
		t.Errorf("link %q", s.link)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200} {
		response, err := http.Get("http://" + s.local + path)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	if out, err := p.try("", "serve"); err == nil || !strings.Contains(out, "in use by another process") {
		t.Errorf("a second server: %v %s", err, out)
	}
	if out := p.run("", "doctor"); !strings.Contains(out, "the server runs") {
		t.Errorf("doctor: %s", out)
	}
	info, err := os.Stat(filepath.Join(p.folder, "data", "palabre.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("control socket: %v, %v", info.Mode(), err)
	}
	s.stop(t)
}

func TestBackupWhileServingAndRestoreAfterACrash(t *testing.T) {
	p := newPlace(t, store.Config{URL: "sqlite:data/palabre.db"}, "")
	s := p.serve()
	p.run("wherefore\n", "account", "add", "romeo")
	p.run("", "backup", "saved.tar")
	p.run("wherefore\n", "account", "add", "late")
	if out, err := p.try("", "restore", "saved.tar"); err == nil || !strings.Contains(out, "the server runs") {
		t.Errorf("restore while serving: %v %s", err, out)
	}
	s.kill(t)
	if all := p.accounts(); len(all) != 2 {
		t.Errorf("after kill -9: %+v", all)
	}
	if out, err := p.try("", "restore", "saved.tar"); err == nil || !strings.Contains(out, "move it away") {
		t.Errorf("restore over data: %v %s", err, out)
	}
	if err := os.Rename(filepath.Join(p.folder, "data"), filepath.Join(p.folder, "old")); err != nil {
		t.Fatal(err)
	}
	if err := truncateCopy(p.folder, "saved.tar", "half.tar"); err != nil {
		t.Fatal(err)
	}
	if out, err := p.try("", "restore", "half.tar"); err == nil {
		t.Errorf("half a backup: %s", out)
	}
	p.run("", "restore", "saved.tar")
	if all := p.accounts(); len(all) != 1 || all["romeo"].Name == "" {
		t.Errorf("restored %+v", all)
	}
	old, err := os.ReadFile(filepath.Join(p.folder, "old", "certificates", "own", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(filepath.Join(p.folder, "data", "certificates", "own", "ca.crt")); err != nil || !bytes.Equal(old, now) {
		t.Errorf("the authority that devices trust is another: %v", err)
	}
}

func truncateCopy(folder, from, to string) error {
	content, err := os.ReadFile(filepath.Join(folder, from))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, to), content[:len(content)/2/512*512], 0o600)
}

func TestExportAndImport(t *testing.T) {
	from, to := newPlace(t, storetest.File(t), ""), newPlace(t, storetest.File(t), "")
	from.run("wherefore\n", "account", "add", "romeo")
	from.run("wherefore\n", "account", "add", "juliet")
	file := filepath.Join(to.folder, "accounts.xml")
	from.run("", "export", "-", file)
	to.run("wherefore\n", "account", "add", "juliet")
	if out := to.run("", "import", file); !strings.Contains(out, "made 1 accounts") || !strings.Contains(out, "left out juliet") {
		t.Errorf("import: %s", out)
	}
	if out := from.run("", "export", "romeo"); !strings.Contains(out, "<user name=\"romeo\">") && !strings.Contains(out, "<user name='romeo'>") || strings.Contains(out, "juliet") {
		t.Errorf("one account: %s", out)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{"domian = 'x'", "line 1: there is no setting domian"},
		{"\n[c2s]\nlisten = 5", "line 3"},
		{"[register]\ninvite_life = 'soon'", "soon"},
		{"[register]\ninvite_life = '10s'", "invite_life"},
		{"[tls]\nsource = 'magic'", "[tls] source"},
		{"domain = 'a b'", "domain"},
	} {
		p := &place{t, t.TempDir()}
		if err := os.WriteFile(filepath.Join(p.folder, "palabre.toml"), []byte(c.config), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := p.try("", "status"); err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%q: %v\n%s", c.config, err, out)
		}
	}
	p := newPlace(t, storetest.File(t), "")
	for _, args := range [][]string{{"dance"}, {"account"}, {"account", "add"}, {"account", "passwd", "nobody"}, {"invite", "--uses", "0x"}, {"status", "--what"}} {
		if out, err := p.try("wherefore\n", args...); err == nil || out == "" {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
}

func TestHelp(t *testing.T) {
	p := newPlace(t, storetest.File(t), "")
	list := p.run("", "help")
	for _, s := range subcommands {
		if !strings.Contains(list, s.name) || s.summary == "" {
			t.Errorf("%s is not in the list", s.name)
		}
		if out, _ := p.try("", append([]string{"help"}, strings.Fields(s.name)...)...); !strings.Contains(out, s.summary) {
			t.Errorf("help %s: %s", s.name, out)
		}
	}
}
