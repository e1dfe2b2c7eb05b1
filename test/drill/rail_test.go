package drill

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

var railKills = flag.Int("rail-kills", 2, "how often the server is killed on SQLite while money comes in and goes out by a network; on PostgreSQL half as often")

const (
	railSecret  = "between us and the network"
	railBetween = 12                     // transfers between two failures, at most
	railDelay   = 300 * time.Millisecond // and time after them, at most
	railAddress = "+212600000001"
	adminSpace  = "urn:palabre:admin:0"
)

// TestKillRails kills the server while money comes in, goes out and goes back by a network outside, which loses requests and answers, takes its time, refuses, and tells things twice. Whoever got no
// answer asks again with the same id. In the end every transfer has one end, the same here and there; the wallets, the book and the network agree to the cent; the network was asked for nothing under
// a name that nobody had chosen; and every debit in the book was signed, or decided by two administrators.
func TestKillRails(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killRails(t, "", *railKills) })
	t.Run("postgres", func(t *testing.T) { killRails(t, database(t), (*railKills+1)/2) })
}

func killRails(t *testing.T, database string, times int) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(times))
	defer cancel()
	b := &bureau{market: &market{t: t, server: newServer(t, database), receipts: map[string]string{}}, asked: map[string]bool{}, ends: map[string]ending{}}
	b.outside(ctx)
	b.open(ctx, database)
	working, stop := context.WithCancel(ctx)
	defer stop()
	b.begin(working)
	for i := range times {
		if err := b.progress(ctx, 1+rand.Int64N(railBetween)); err != nil {
			t.Fatalf("before failure %d: %v; %d begun", i, err, b.paid.value())
		}
		<-time.After(rand.N(railDelay))
		b.server.kill()
		b.server.start()
	}
	if err := b.progress(ctx, railBetween); err != nil {
		t.Fatalf("after the last failure: %v; %d begun", err, b.paid.value())
	}
	stop()
	b.work.Wait()
	b.compare(ctx)
	b.server.stop()
	b.audit(ctx, database)
	b.verify()
	t.Logf("%d failures; %d transfers, %d of them refunds, %d settled; each has one end, and the books and the network agree", times, len(b.ends), b.count(func(e ending) bool { return e.kind == rail.Refund }),
		b.count(func(e ending) bool { return e.state == pay.Done }))
}

// bureau is where people change money.
type bureau struct {
	*market
	net           *sandbox.Network
	url           string
	admins        [2]*client.Client
	strayed, told counter // what the network was asked for that nobody wanted; how often it was asked at all

	mu    sync.Mutex // guards what follows
	asked map[string]bool
	ends  map[string]ending
}

// ending is what became of a transfer.
type ending struct {
	who    *shopper
	kind   rail.Kind
	state  string
	amount int64
}

// outside starts the network, which lives on while the server dies.
func (b *bureau) outside(ctx context.Context) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	b.net, b.url = sandbox.NewNetwork([]byte(railSecret), sandbox.Plan{}), "http://"+listener.Addr().String()
	inside := &http.Server{Handler: http.HandlerFunc(b.overhear), ReadHeaderTimeout: patience}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = inside.Serve(listener) }) // it ends with Close
	running.Go(func() { _ = b.net.Run(ctx) })
	b.t.Cleanup(func() {
		cancel()
		_ = inside.Close()
		running.Wait()
	})
}

// overhear looks at what the network is asked for.
func (b *bureau) overhear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Method == http.MethodPost {
		var m sandbox.Message
		b.mu.Lock()
		known := json.Unmarshal(body, &m) == nil && b.asked[m.ID]
		b.mu.Unlock()
		if b.told.add(); !known {
			b.strayed.add()
		}
	}
	b.net.ServeHTTP(w, r)
}

// open is that of the market, with two administrators and the rail.
func (b *bureau) open(ctx context.Context, database string) {
	b.t.Helper()
	b.server.add("--admin", "abbot")
	b.more = "[pay.rail.try.sandbox]\nunits = [\"MAD\"]\nurl = \"" + b.url + "\"\nsecret = \"" + railSecret + "\"\n"
	b.market.open(ctx, database)
	for i, name := range []string{"fish", "abbot"} {
		cfg := b.server.config(name)
		cfg.Timeout = 10 * time.Second
		b.admins[i] = b.server.connect(ctx, cfg)
	}
	for _, setting := range b.server.env {
		if address, ok := strings.CutPrefix(setting, "PALABRE_HTTP_LISTEN="); ok {
			b.net.Callback = "https://" + address + "/pay/rail/try"
		}
	}
	b.net.Client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: b.server.certificates(), ServerName: "localhost", MinVersion: tls.VersionTLS12}}}
}

// begin lets everybody change money until ctx ends; what has begun is waited for.
func (b *bureau) begin(ctx context.Context) {
	for _, one := range b.people {
		for range payLines {
			b.work.Go(func() {
				for ctx.Err() == nil {
					b.change(b.t.Context(), one)
				}
			})
		}
	}
}

// change brings money in or sends it out; of what has come in, some goes back.
func (b *bureau) change(ctx context.Context, who *shopper) {
	amount := 1 + rand.Int64N(999)
	if rand.IntN(2) == 0 {
		wanted := who.device.Send("rail:try:"+railAddress, amount, "MAD", "")
		wanted.Kind = intent.Cashout
		b.expect(wanted.ID)
		b.insist(ctx, wanted.ID, func() error {
			request, err := who.device.Pay(wanted)
			if err == nil {
				_, err = who.Set(ctx, xmpp.MustJID(payService), request)
			}
			return err
		})
		b.paid.add()
		b.end(ctx, wanted.ID, ending{who, rail.CashOut, "", amount})
		return
	}
	id := payer.NewID()
	b.expect(id)
	b.insist(ctx, id, func() error {
		_, err := who.Set(ctx, xmpp.MustJID(payService), xmpp.NewElement(payer.NS, "cashin").Set("id", id).Set("rail", "try").Set("amount", strconv.FormatInt(amount, 10)).Set("unit", "MAD").Set("address", railAddress))
		return err
	})
	b.paid.add()
	if b.end(ctx, id, ending{who, rail.CashIn, "", amount}) == pay.Done && rand.IntN(2) == 0 {
		b.sendBack(ctx, who, id, 1+rand.Int64N(amount))
	}
}

// expect chooses what the network will do with a transfer, before it is asked for.
func (b *bureau) expect(id string) {
	b.mu.Lock()
	b.asked[id] = true
	b.mu.Unlock()
	b.net.Plan(id, sandbox.Plan{Reject: rand.IntN(6) == 0, After: rand.N(2 * time.Second), Drop: rand.IntN(2), Mute: rand.IntN(2), MuteAsks: rand.IntN(2), Copies: rand.IntN(3), Cost: rand.Int64N(3),
		Early: rand.IntN(2) == 0})
}

// insist asks until there is an answer. What the network has refused meanwhile is refused when it is asked for again.
func (b *bureau) insist(ctx context.Context, id string, ask func() error) {
	for ctx.Err() == nil {
		err := ask()
		var told *xmpp.Error
		if errors.As(err, &told) && told.Type != "wait" && !strings.Contains(told.Element().String(), "<rail ") {
			b.t.Errorf("%s was refused: %v", id, err)
		}
		if err == nil || told != nil && told.Type != "wait" {
			return
		}
		<-time.After(payPause)
	}
}

// end waits until a transfer has an end, and notes it.
func (b *bureau) end(ctx context.Context, id string, e ending) string {
	for ctx.Err() == nil {
		found, err := e.who.Get(ctx, xmpp.MustJID(payService), xmpp.NewElement(payer.NS, "lookup").Set("id", id))
		if errors.Is(err, xmpp.ItemNotFound) {
			b.t.Errorf("%s was answered and is not there", id)
			return ""
		}
		if err == nil && found.Attr("state") != pay.Waiting {
			e.state = found.Attr("state")
			b.mu.Lock()
			b.ends[id] = e
			b.mu.Unlock()
			return e.state
		}
		<-time.After(10 * payPause)
	}
	return ""
}

// sendBack has one administrator propose that some of a cash-in goes back, and another one approve it.
func (b *bureau) sendBack(ctx context.Context, who *shopper, in string, amount int64) {
	proposal, why := "", "drill "+payer.NewID()
	b.insist(ctx, in, func() (err error) {
		proposal, err = b.propose(ctx, in, amount, why)
		return err
	})
	id := "office-" + proposal
	b.expect(id)
	again := false
	b.insist(ctx, id, func() error {
		_, err := b.admins[1].Set(ctx, xmpp.MustJID("localhost"), xmpp.NewElement(adminSpace, "approve").Set("id", proposal))
		if again && errors.Is(err, xmpp.NotAllowed) { // it was decided on, before the answer was lost
			return nil
		}
		again = true
		return err
	})
	b.paid.add()
	b.end(ctx, id, ending{who, rail.Refund, "", amount})
}

// propose proposes once: what an earlier call has left is taken.
func (b *bureau) propose(ctx context.Context, in string, amount int64, why string) (string, error) {
	open, err := b.admins[0].Get(ctx, xmpp.MustJID("localhost"), xmpp.NewElement(adminSpace, "proposals"))
	if err != nil {
		return "", err
	}
	for one := range open.Children() {
		if one.Text() == why {
			return one.Attr("id"), nil
		}
	}
	made, err := b.admins[0].Set(ctx, xmpp.MustJID("localhost"), xmpp.NewElement(adminSpace, "propose").Set("kind", pay.Refund).Set("of", in).Set("amount", strconv.FormatInt(amount, 10)).AddText(why))
	if err != nil {
		return "", err
	}
	return made.Attr("id"), nil
}

func (b *bureau) count(is func(e ending) bool) (n int) {
	for _, e := range b.ends {
		if is(e) {
			n++
		}
	}
	return n
}

// compare looks at every transfer there, and at every wallet.
func (b *bureau) compare(ctx context.Context) {
	b.t.Helper()
	want := map[*shopper]int64{}
	for id, e := range b.ends {
		there, ok := b.net.Look(id)
		if settled := ok && there.State == "settled"; settled != (e.state == pay.Done) || settled && there.Amount != e.amount {
			b.t.Errorf("%s of %d is %s here, and there %+v", id, e.amount, e.state, there)
		}
		switch {
		case e.state != pay.Done:
		case e.kind == rail.CashIn:
			want[e.who] += e.amount
		default:
			want[e.who] -= e.amount
		}
	}
	for _, one := range b.people {
		wallet, err := one.Get(ctx, xmpp.MustJID(payService), xmpp.NewElement(payer.NS, "wallet"))
		b.must(err)
		balance := wallet.Child(payer.NS, "balance")
		if got := balance.Attr("amount"); got != strconv.FormatInt(payMoney+want[one], 10) || balance.Attr("held") != "0" {
			b.t.Errorf("%s has %s of %d", one.name, balance, payMoney+want[one])
		}
	}
	if n := b.strayed.value(); n > 0 {
		b.t.Errorf("the network was asked %d times for what nobody wanted", n)
	}
	if b.told.value() == 0 {
		b.t.Error("the network was asked for nothing")
	}
}

// audit compares the book with the network, and looks who has authorised what.
func (b *bureau) audit(ctx context.Context, database string) {
	b.t.Helper()
	cfg, log := store.DefaultConfig(), slog.New(slog.DiscardHandler)
	if cfg.URL = database; database == "" {
		cfg.URL = "sqlite:" + filepath.Join(b.server.folder, "data/palabre.db")
	}
	db, err := store.Open(ctx, cfg, log)
	b.must(err)
	book, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	b.must(err)
	queue, err := jobs.New(ctx, db, log)
	b.must(err)
	way, err := sandbox.New(sandbox.Config{URL: b.url, Secret: railSecret, Units: []string{"MAD"}}, nil)
	b.must(err)
	engine, err := rail.New(ctx, db, queue, book, log, map[string]rail.Network{"try": way}, nil)
	b.must(err)
	outside, err := book.Account(ctx, rail.Account("try", "MAD"))
	b.must(err)
	if there := b.net.Balance("MAD"); -outside.Balance != there {
		b.t.Errorf("the book says that %d are in the network, which has %d", -outside.Balance, there)
	}
	report, err := engine.Reconcile(ctx, "try", time.Now().Add(-24*time.Hour), time.Now().Add(time.Hour))
	b.must(err)
	if report.Differences > 0 {
		found, err := engine.Differences(ctx, report.Number)
		b.t.Errorf("the lists differ: %+v (%v)", found, err)
	}
	if waiting, err := engine.Waiting(ctx); err != nil || len(waiting) > 0 {
		b.t.Errorf("these have no end: %+v (%v)", waiting, err)
	}
	authority, err := pay.CheckAuthority(ctx, book)
	b.must(err)
	if authority.Others > 0 {
		b.t.Errorf("nobody has authorised %+v", authority.Unsigned)
	}
	book.Close()
	b.must(db.Close())
}
