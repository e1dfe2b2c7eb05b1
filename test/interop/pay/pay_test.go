//go:build interop

// Package pay lets people of Debian's Prosody and of Debian's ejabberd pay each other by the real program, which is a component of these servers (`palabre pay`). PALABRE names the
// program:
//
//	go test -tags interop ./test/interop/pay
package pay

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

const (
	password = "Pa-18-labre"
	secret   = "the pearl diver"
	service  = "pay.localhost"
	patience = time.Minute
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is a server of somebody else, and what is kept there for a test.
type place struct {
	t               *testing.T
	folder          string
	c2s, components int
}

// newPlace is a folder and free ports, with a certificate for localhost.
func newPlace(t *testing.T) *place {
	t.Helper()
	folder, err := os.MkdirTemp("", "palabre-pay-") // not t.TempDir: paths of sockets are short
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := filepath.Glob(filepath.Join(folder, "*.log"))
			for _, name := range logs {
				text, _ := os.ReadFile(name)
				t.Logf("%s:\n%s", filepath.Base(name), text[:min(len(text), 2000)])
			}
		}
		must(t, os.RemoveAll(folder))
	})
	p := &place{t: t, folder: folder, c2s: freePort(t), components: freePort(t)}
	make := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost", "-keyout", p.path("server.key"), "-out", p.path("server.pem"))
	output, err := make.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	certificate, err := os.ReadFile(p.path("server.pem"))
	must(t, err)
	key, err := os.ReadFile(p.path("server.key"))
	must(t, err)
	must(t, os.WriteFile(p.path("both.pem"), append(certificate, key...), 0o644))
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.folder, name) }

// run starts a program whose words are kept, and returns what ends it.
func (p *place) run(log string, command *exec.Cmd) (kill func(syscall.Signal)) {
	p.t.Helper()
	file, err := os.OpenFile(p.path(log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(p.t, err)
	command.Stdout, command.Stderr, command.Dir = file, file, p.folder
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(p.t, command.Start())
	done := false
	kill = func(signal syscall.Signal) {
		if done {
			return
		}
		done = true
		_ = command.Process.Signal(signal)
		_ = command.Wait() // it was told to end
		_ = file.Close()
	}
	p.t.Cleanup(func() { kill(syscall.SIGTERM) })
	return kill
}

const prosodyConfig = `run_as_root = true
daemonize = false
data_path = "@DIR@/data"
pidfile = "@DIR@/prosody.pid"
log = { info = "@DIR@/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { @C2S@ }
component_ports = { @COMPONENTS@ }
certificates = "@DIR@"
ssl = { certificate = "@DIR@/server.pem"; key = "@DIR@/server.key" }
authentication = "internal_hashed"
modules_disabled = { "s2s" }
modules_enabled = { "disco", "roster", "saslauth", "tls", "pep", "ping", "mam", "offline", "smacks" }
VirtualHost "localhost"
Component "pay.localhost"
  component_secret = "@SECRET@"
`

const ejabberdConfig = `loglevel: warning
hosts: [localhost]
certfiles: ["@DIR@/both.pem"]
listen:
  - {port: @C2S@, ip: "127.0.0.1", module: ejabberd_c2s, starttls_required: true}
  - port: @COMPONENTS@
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts:
      pay.localhost: {password: "@SECRET@"}
disable_sasl_mechanisms: [digest-md5, X-OAUTH2, SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS, SCRAM-SHA-512-PLUS]
auth_password_format: scram
acl:
  local: {user_regexp: ""}
modules:
  mod_disco: {}
  mod_offline: {}
  mod_ping: {}
  mod_roster: {}
  mod_stream_mgmt: {}
`

func (p *place) configure(name, text string) {
	p.t.Helper()
	text = strings.NewReplacer("@DIR@", p.folder, "@C2S@", strconv.Itoa(p.c2s), "@COMPONENTS@", strconv.Itoa(p.components), "@SECRET@", secret).Replace(text)
	must(p.t, os.WriteFile(p.path(name), []byte(text), 0o600))
}

// prosody starts Debian's Prosody with karim and nadia.
func prosody(p *place) {
	p.configure("prosody.cfg.lua", prosodyConfig)
	must(p.t, os.Mkdir(p.path("data"), 0o700))
	for _, name := range []string{"karim", "nadia"} {
		output, err := exec.Command("prosodyctl", "--config", p.path("prosody.cfg.lua"), "register", name, "localhost", password).CombinedOutput()
		if err != nil {
			p.t.Fatalf("%v: %s", err, output)
		}
	}
	p.run("output.log", exec.Command("prosody", "--config", p.path("prosody.cfg.lua"), "-F"))
}

// ejabberd starts Debian's ejabberd with karim and nadia, as ejabberdctl starts it, but as no node of a network.
func ejabberd(p *place) {
	p.configure("ejabberd.yml", ejabberdConfig)
	must(p.t, os.Mkdir(p.path("mnesia"), 0o700))
	command := exec.Command("erl", "-noinput", "-mnesia", "dir", `"`+p.path("mnesia")+`"`, "-s", "ejabberd",
		"-eval", `[ejabberd_auth:try_register(U, <<"localhost">>, <<"`+password+`">>) || U <- [<<"karim">>, <<"nadia">>]], file:write_file("`+p.path("registered")+`", <<>>)`)
	command.Env = append(os.Environ(), "ERL_LIBS=/usr/lib/x86_64-linux-gnu", "ERL_CRASH_DUMP="+p.path("crash.dump"), "EJABBERD_CONFIG_PATH="+p.path("ejabberd.yml"),
		"EJABBERD_LOG_PATH="+p.path("ejabberd.log"), "SPOOL_DIR="+p.path("mnesia"), "CONTRIB_MODULES_PATH="+p.path("mnesia"), "CONTRIB_MODULES_CONF_DIR="+p.path("mnesia"), "HOME="+p.folder)
	p.run("output.log", command)
	p.made("registered") // it takes people before it knows them
}

const palabreConfig = `domain = "localhost"
data = "@DIR@/palabre"
[http]
listen = []
local = ""
url = "https://pay.example"
[pay]
first_key = "0s"
[[pay.units]]
code = "MAD"
[pay.server]
address = "127.0.0.1:@COMPONENTS@"
secret = "@SECRET@"
max_pause = "1s"
`

// serve runs `palabre pay`.
func (p *place) serve() (kill func(syscall.Signal)) {
	p.configure("palabre.toml", palabreConfig)
	return p.run("palabre.log", exec.Command(os.Getenv("PALABRE"), "pay", "-config", p.path("palabre.toml")))
}

// give puts money into karim's wallet before the service runs.
func (p *place) give(amount int64) {
	p.t.Helper()
	must(p.t, os.MkdirAll(p.path("palabre"), 0o700))
	cfg, log := store.DefaultConfig(), slog.New(slog.DiscardHandler)
	cfg.URL = "sqlite:" + p.path("palabre/palabre.db")
	db, err := store.Open(p.t.Context(), cfg, log)
	must(p.t, err)
	book, err := ledger.New(p.t.Context(), ledger.DefaultConfig(), db, log)
	must(p.t, err)
	wallet, issue := pay.WalletAccount("MAD", xmpp.MustJID("karim@localhost")), pay.IssueAccount("MAD")
	_, err = book.Post(p.t.Context(), nil, ledger.Operation{ID: "open-1", Kind: ledger.Opening, From: issue, Unit: "MAD", Floor: ledger.Unbounded},
		ledger.Operation{ID: "open-2", Kind: ledger.Opening, From: wallet, Unit: "MAD"},
		ledger.Operation{ID: "give-1", Kind: ledger.Transfer, From: issue, To: wallet, Amount: amount, Unit: "MAD"})
	must(p.t, err)
	book.Close()
	must(p.t, db.Close())
}

// person is somebody at the server, with an app that knows payments.
type person struct {
	*client.Client
	t      *testing.T
	device *payer.Device
	got    chan *xmpp.Stanza
}

func (p *place) person(name string) *person {
	p.t.Helper()
	certificate, err := os.ReadFile(p.path("server.pem"))
	must(p.t, err)
	device, err := payer.New(service, name+"@localhost")
	must(p.t, err)
	one := &person{t: p.t, device: device, got: make(chan *xmpp.Stanza, 100)}
	one.Client, err = client.New(client.Config{JID: xmpp.MustJID(name + "@localhost/phone"), Password: password, Server: fmt.Sprintf("127.0.0.1:%d", p.c2s), Roots: pool(certificate),
		Timeout: 10 * time.Second, OnMessage: func(_ context.Context, m *xmpp.Stanza) { one.got <- m }})
	must(p.t, err)
	must(p.t, one.Connect(p.t.Context()))
	p.t.Cleanup(one.Close)
	must(p.t, one.SetPresence(p.t.Context(), client.Presence{}))
	return one
}

func (who *person) set(payload *xmpp.Element) (*xmpp.Element, error) {
	return who.Set(who.t.Context(), xmpp.MustJID(service), payload)
}

func (who *person) get(name string) *xmpp.Element {
	who.t.Helper()
	answer, err := who.Get(who.t.Context(), xmpp.MustJID(service), xmpp.NewElement(payer.NS, name))
	must(who.t, err)
	return answer
}

// until asks again and again, as long as the answer is that the service is away.
func until(t *testing.T, ask func() (*xmpp.Element, error)) *xmpp.Element {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		answer, err := ask()
		if err == nil {
			return answer
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// notice waits for what the service tells of a payment.
func (who *person) notice(id string) (message *xmpp.Stanza) {
	who.t.Helper()
	for end := time.After(patience); ; {
		select {
		case m := <-who.got:
			if m.Child(payer.NS, "notice").Child(payer.NS, "payment").Attr("id") == id && m.From.String() == service {
				return m
			}
		case <-end:
			who.t.Fatalf("no notice of %s", id)
		}
	}
}

func (who *person) balance() string {
	who.t.Helper()
	return who.get("wallet").Child(payer.NS, "balance").Attr("amount")
}

func TestPaymentsBesideOtherServers(t *testing.T) {
	for name, start := range map[string]func(*place){"prosody": prosody, "ejabberd": ejabberd} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			start(p)
			p.give(50_000)
			kill := p.serve()
			p.await()
			karim, nadia := p.person("karim"), p.person("nadia")
			until(t, func() (*xmpp.Element, error) { return karim.set(karim.device.Register()) })
			intent := karim.device.Send("nadia@localhost", 12_500, "MAD", "Sardines")
			request, err := karim.device.Pay(intent)
			must(t, err)
			receipt, err := karim.set(request)
			must(t, err)
			text := receipt.ChildText(payer.NS, "text")
			signature, err := base64.RawURLEncoding.DecodeString(receipt.ChildText(payer.NS, "signature"))
			must(t, err)
			key, err := base64.RawURLEncoding.DecodeString(karim.get("about").ChildText(payer.NS, "key"))
			must(t, err)
			if !ed25519.Verify(key, []byte(text), signature) || !strings.Contains(text, "\namount=12500\n") || !strings.Contains(text, "\npayee=nadia@localhost\n") {
				t.Errorf("the receipt: %s", text)
			}
			told := nadia.notice(intent.ID)
			if body := told.Body(); !strings.Contains(body, "125.00\u00a0MAD") || !strings.Contains(body, "https://pay.example/payment/#") {
				t.Errorf("nadia reads %q", body)
			}
			karim.notice(intent.ID)

			kill(syscall.SIGKILL) // and karim asks for another one meanwhile
			second := karim.device.Send("nadia@localhost", 500, "MAD", "Bread")
			if request, err = karim.device.Pay(second); err != nil {
				t.Fatal(err)
			}
			if _, err := karim.set(request); err == nil {
				t.Error("paid without the service")
			}
			p.serve()
			until(t, func() (*xmpp.Element, error) { return karim.set(request) })
			again, err := karim.set(must1(karim.device.Pay(intent)))
			must(t, err)
			if again.ChildText(payer.NS, "text") != text {
				t.Errorf("asked again, the receipt is %s", again)
			}
			nadia.notice(second.ID)
			if a, b := karim.balance(), nadia.balance(); a != "37000" || b != "13000" {
				t.Errorf("karim has %s, nadia %s", a, b)
			}
		})
	}
}

func must1(e *xmpp.Element, err error) *xmpp.Element {
	if err != nil {
		panic(err)
	}
	return e
}
