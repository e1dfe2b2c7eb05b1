package bank_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/business/bank"
	"palabre.dev/palabre/business/bank/example"
	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// secret is that of everybody's authenticator.
var secret = []byte("sixteen bytes and more")

// contacts is the roster as the archive asks it.
type contacts struct{ *roster.Feature }

func (c contacts) Has(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	return c.Listed(ctx, account, contact)
}

// town is a server with what encryption needs. The bank is at the nurse's.
func town(t *testing.T) *palabretest.Server {
	t.Helper()
	var people *roster.Feature
	var apps *caps.Feature
	return palabretest.Start(t, storetest.SQLite,
		palabretest.With(func(s *palabretest.Server) (any, error) {
			var err error
			people, err = roster.New(s.Context, s.DB, roster.DefaultConfig(), s.Log)
			return people, err
		}),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			var err error
			apps, err = caps.New(s.Context, s.DB, caps.DefaultConfig(), s.Log)
			return apps, err
		}),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			nodes, err := pubsub.New(s.Context, pubsub.DefaultConfig(), s.DB, people, people, apps, s.Log)
			if err == nil {
				apps.OnWants(func(ctx context.Context, want caps.Want) {
					if want.Session != nil {
						nodes.Interested(ctx, want.Session, want.Nodes)
					}
				})
			}
			return nodes, err
		}),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			return archive.New(s.Context, archive.DefaultConfig(), s.DB, contacts{people}, s.Log)
		}),
		palabretest.With(func(*palabretest.Server) (any, error) { return carbons.New(), nil }),
	)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// login is how anybody gets to the server; the certificate is one of the test's own.
func login(name, address string) client.Config {
	return client.Config{JID: xmpp.MustJID(name + "@" + palabretest.Domain), Password: palabretest.Password, Method: client.StartTLS, Server: address,
		TLS: &tls.Config{InsecureSkipVerify: true}, MinBackoff: 10 * time.Millisecond, Timeout: time.Minute, Carbons: true}
}

// books are the example bank's, in a folder that outlives the bot.
type books struct {
	db   *store.DB
	book *ledger.Ledger
	bank *example.Bank
	keys *omemo.FileStore
}

func openBooks(ctx context.Context, folder string) (*books, error) {
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(folder, "bank.db")
	b := &books{}
	var err error
	if b.db, err = store.Open(ctx, cfg, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	if b.book, err = ledger.New(ctx, ledger.DefaultConfig(), b.db, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	if b.bank, err = example.New(ctx, b.db, b.book, "MAD"); err != nil {
		return nil, err
	}
	for _, c := range []example.Customer{{Address: "romeo@localhost", Number: "MA1001", Name: "Karim Alami", Begin: 100_000, Secret: secret},
		{Address: "juliet@localhost", Number: "MA1002", Name: "Nadia Haddad", Secret: secret}, {Address: "omar@localhost", Number: "MA1003", Name: "Omar Haddad"}} {
		if err := b.bank.Add(ctx, c); err != nil {
			return nil, err
		}
	}
	b.keys, err = omemo.OpenFile(filepath.Join(folder, "keys"))
	return b, err
}

func (b *books) close() {
	b.book.Close()
	if err := errors.Join(b.keys.Close(), b.db.Close()); err != nil {
		panic(err)
	}
}

// bot makes a bot on the books.
func (b *books) bot(ctx context.Context, connector bank.Connector, change func(*bank.Config)) (*bank.Bot, error) {
	cfg := bank.DefaultConfig()
	cfg.Name = "Bank of Verona"
	cfg.MaxMinute = 600
	if change != nil {
		change(&cfg)
	}
	return bank.New(ctx, cfg, b.db, b.keys, connector, bank.TOTP{Secret: b.bank.Secret}, slog.New(slog.DiscardHandler))
}

// open runs a bot within the test. wrap may put something between it and the bank.
func open(t *testing.T, s *palabretest.Server, change func(*bank.Config), wrap func(bank.Connector) bank.Connector, before ...func(*bank.Bot)) *books {
	t.Helper()
	b, err := openBooks(t.Context(), t.TempDir())
	must(t, err)
	var connector bank.Connector = b.bank
	if wrap != nil {
		connector = wrap(connector)
	}
	bot, err := b.bot(t.Context(), connector, change)
	must(t, err)
	for _, one := range before {
		one(bot)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- bot.Run(ctx, login("nurse", s.Addr)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		b.close()
	})
	return b
}

// person is a customer with an encrypting device.
type person struct {
	*client.Client
	t     *testing.T
	end   *e2e.Endpoint
	heard chan string
	name  string
}

func start(t *testing.T, s *palabretest.Server, name string) *person {
	t.Helper()
	p := &person{t: t, heard: make(chan string, 1000), name: name}
	ready := make(chan struct{})
	inbox := client.NewInbox(client.Mark{}, time.Time{}, func(ctx context.Context, letter client.Letter) error {
		<-ready
		p.take(ctx, letter)
		return nil
	})
	cfg := login(name, s.Addr)
	var err error
	cfg.JID, err = cfg.JID.WithResource(rand.Text())
	must(t, err)
	cfg.Features = e2e.Features
	inbox.Join(&cfg)
	p.Client, err = client.New(cfg)
	must(t, err)
	must(t, p.Connect(within(t)))
	keys, err := omemo.OpenFile(filepath.Join(t.TempDir(), "keys"))
	must(t, err)
	p.end, err = e2e.Open(within(t), p.Client, keys, nil)
	must(t, err)
	close(ready)
	must(t, p.end.Start(within(t)))
	ctx, stop := context.WithCancel(t.Context())
	caught, done := make(chan struct{}, 10), make(chan struct{})
	go func() {
		defer close(done)
		inbox.Run(ctx, p.Client, func(context.Context) error { caught <- struct{}{}; return nil })
	}()
	t.Cleanup(func() {
		p.Close()
		stop()
		<-done
		must(t, keys.Close())
	})
	<-caught
	must(t, p.SetPresence(within(t), client.Presence{}))
	must(t, p.Flush(within(t)))
	return p
}

func (p *person) take(ctx context.Context, letter client.Letter) {
	if p.end.Notice(ctx, letter.Message) || letter.Sent || letter.Message.From.Local() != "nurse" {
		return
	}
	opened, err := p.end.Decrypt(ctx, letter.Message, letter.Mark.ID)
	switch {
	case errors.Is(err, e2e.ErrClear) && letter.Message.Body() != "":
		p.heard <- "in clear: " + letter.Message.Body()
	case err == nil && !opened.Empty:
		p.heard <- opened.Body
	}
}

// encrypted is a message to the bank, once the bank has a device.
func (p *person) encrypted(text string) *xmpp.Stanza {
	p.t.Helper()
	ctx, to := within(p.t), xmpp.MustJID("nurse@localhost")
	for {
		items, err := p.Items(ctx, to, "urn:xmpp:omemo:2:devices")
		if err == nil && len(items) > 0 {
			break
		}
		if ctx.Err() != nil {
			p.t.Fatal("the bank has no device: ", err)
		}
		pause(ctx)
	}
	st, _, err := p.end.Encrypt(ctx, to, text)
	must(p.t, err)
	return st
}

// pause is between two looks at something that nobody tells of.
func pause(ctx context.Context) {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (p *person) says(text string) {
	p.t.Helper()
	must(p.t, p.SendAcked(within(p.t), p.encrypted(text)))
}

func (p *person) hears() string {
	p.t.Helper()
	select {
	case text := <-p.heard:
		return text
	case <-within(p.t).Done():
		p.t.Fatalf("%s heard nothing", p.name)
		return ""
	}
}

// expects is hears with what must be heard; {*} stands for anything.
func (p *person) expects(want string) {
	p.t.Helper()
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\{\*\}`, ".+?") + "$"
	if got := p.hears(); !regexp.MustCompile("(?s)" + pattern).MatchString(strings.ReplaceAll(got, "\u00a0", " ")) {
		p.t.Errorf("%s heard %q, expected %q", p.name, got, want)
	}
}

func (b *books) balance(t *testing.T, customer string) int64 {
	t.Helper()
	a, err := b.bank.Account(t.Context(), customer)
	must(t, err)
	return a.Balance
}

// TestTranscripts plays conversations: a line with > is said to the bank, one with < must come back, indented lines belong to it.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(name)
			must(t, err)
			s := town(t)
			open(t, s, nil, nil)
			romeo, codes := start(t, s, "romeo"), codes()
			for _, step := range regexp.MustCompile(`(?m)^[<>]`).FindAllStringIndex(string(text), -1) {
				line, _, _ := strings.Cut(string(text)[step[0]:], "\n")
				for _, more := range regexp.MustCompile(`^[^\n]*((?:\n  [^\n]*)+)`).FindAllStringSubmatch(string(text)[step[0]:], 1) {
					line += strings.ReplaceAll(more[1], "\n  ", "\n")
				}
				if said, ok := strings.CutPrefix(line, "> "); ok {
					romeo.says(codes(said))
				} else {
					romeo.expects(strings.TrimPrefix(line, "< "))
				}
			}
		})
	}
}

// codes puts the authenticator's code for {code}, and the one before for {used}.
func codes() func(string) string {
	used := ""
	return func(text string) string {
		text = strings.ReplaceAll(text, "{used}", used)
		if strings.Contains(text, "{code}") {
			used = bank.Code(secret, time.Now())
		}
		return strings.ReplaceAll(text, "{code}", used)
	}
}
