package drill

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

var payKills = flag.Int("pay-kills", 2, "how often the server is killed on SQLite while people pay; on PostgreSQL half as often")

const (
	payers     = 4
	payLines   = 4         // payments of one payer that are on their way at once
	payMoney   = 1_000_000 // that each has in the beginning
	payService = "pay.localhost"
	payPause   = 20 * time.Millisecond // before it is asked again
	payBetween = 400                   // payments between two failures, at most
)

// TestKillPayments kills the server while people pay at full speed, between the tap and the receipt of many payments. Whoever got no answer asks again with the same intent. In the end each intent was
// paid once, and asked again it gives the receipt that was given first, byte for byte; all money is there; the books are a chain without gaps; and payer and payee have a notice of each in their archives.
func TestKillPayments(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killPayments(t, "", *payKills) })
	t.Run("postgres", func(t *testing.T) { killPayments(t, database(t), (*payKills+1)/2) })
}

func killPayments(t *testing.T, database string, times int) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(times))
	defer cancel()
	m := &market{t: t, server: newServer(t, database), receipts: map[string]string{}}
	m.open(ctx, database)
	working, stop := context.WithCancel(ctx)
	defer stop()
	m.begin(working)
	for i := range times {
		if err := m.progress(ctx, 1+rand.Int64N(payBetween)); err != nil {
			t.Fatalf("before failure %d: %v; %d paid", i, err, m.paid.value())
		}
		m.server.kill()
		m.server.start()
	}
	if err := m.progress(ctx, payBetween); err != nil {
		t.Fatalf("after the last failure: %v; %d paid", err, m.paid.value())
	}
	stop()
	m.work.Wait()
	m.compare(ctx)
	m.server.stop()
	m.verify()
	t.Logf("%d failures; %d payments, each once and with one receipt; %d were asked for again, of which %d had been made", times, m.paid.value(), m.again.value(), m.made.value())
}

// market is where people pay the fishmonger.
type market struct {
	t      *testing.T
	server *palabre
	more   string // of the configuration
	people []*shopper
	work   sync.WaitGroup
	paid   counter
	again  counter // payments that got no answer
	made   counter // those of them that had been made

	mu       sync.Mutex        // guards what follows
	receipts map[string]string // the first one of each intent, with its signature
	intents  []paidIntent
}

type paidIntent struct {
	who *shopper
	intent.Intent
}

// shopper is one payer.
type shopper struct {
	*client.Client
	name   string
	device *payer.Device
}

func (m *market) progress(ctx context.Context, more int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return m.paid.reach(ctx, m.paid.value()+more)
}

func (m *market) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// open makes the accounts, gives money to those who pay, starts the server, and makes their keys known.
func (m *market) open(ctx context.Context, database string) {
	m.t.Helper()
	file := filepath.Join(m.server.folder, "palabre.toml")
	m.must(os.WriteFile(file, []byte("[pay]\nfirst_key = \"0s\"\n[pay.rates]\npay = \"100000/1ms\"\ncashin = \"1000/1ms\"\n[[pay.units]]\ncode = \"MAD\"\n"+m.more), 0o600))
	m.server.env = append(m.server.env, "PALABRE_CONFIG="+file)
	m.server.add("--admin", "fish")
	for n := range payers {
		m.server.add(fmt.Sprintf("p%d", n))
	}
	m.give(ctx, database)
	m.server.start()
	for n := range payers {
		name := fmt.Sprintf("p%d", n)
		device, err := payer.New(payService, name+"@localhost")
		m.must(err)
		cfg := m.server.config(name)
		cfg.Timeout = 10 * time.Second
		one := &shopper{m.server.connect(ctx, cfg), name, device}
		_, err = one.Set(ctx, xmpp.MustJID(payService), device.Register())
		m.must(err)
		m.people = append(m.people, one)
	}
}

// give issues money, as an operator does.
func (m *market) give(ctx context.Context, database string) {
	m.t.Helper()
	cfg, log := store.DefaultConfig(), slog.New(slog.DiscardHandler)
	if cfg.URL = database; database == "" {
		cfg.URL = "sqlite:" + filepath.Join(m.server.folder, "data/palabre.db")
	}
	db, err := store.Open(ctx, cfg, log)
	m.must(err)
	book, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	m.must(err)
	for n := range payers {
		wallet := pay.WalletAccount("MAD", xmpp.MustJID(fmt.Sprintf("p%d@localhost", n)))
		_, err = book.Post(ctx, nil, ledger.Operation{ID: fmt.Sprintf("open-%d", n), Kind: ledger.Opening, From: wallet, Unit: "MAD"},
			ledger.Operation{ID: fmt.Sprintf("give-%d", n), Kind: ledger.Transfer, From: pay.IssueAccount("MAD"), To: wallet, Amount: payMoney, Unit: "MAD"})
		m.must(err)
	}
	book.Close()
	m.must(db.Close())
}

func (m *market) begin(ctx context.Context) {
	for _, one := range m.people {
		for range payLines {
			m.work.Go(func() {
				for ctx.Err() == nil {
					m.pay(m.t.Context(), one)
				}
			})
		}
	}
}

// pay pays once, and asks until it is known to be so.
func (m *market) pay(ctx context.Context, who *shopper) {
	wanted := who.device.Send("fish@localhost", 1+rand.Int64N(3), "MAD", "Sardines")
	for tries := 0; ctx.Err() == nil; tries++ {
		receipt, err := who.receipt(ctx, wanted)
		if err == nil {
			m.note(who, wanted, receipt)
			return
		}
		var told *xmpp.Error
		if errors.As(err, &told) && told.Type != "wait" {
			m.t.Errorf("%s was refused: %v", wanted.ID, err)
			return
		}
		<-time.After(payPause)
		if tries == 0 {
			m.look(ctx, who, wanted.ID)
		}
	}
}

// look asks what became of a payment without an answer: it was made, or it was not.
func (m *market) look(ctx context.Context, who *shopper, id string) {
	for ctx.Err() == nil {
		found, err := who.Get(ctx, xmpp.MustJID(payService), xmpp.NewElement(payer.NS, "lookup").Set("id", id))
		switch {
		case err == nil && found.Attr("state") == "done":
			m.made.add()
		case err == nil:
			m.t.Errorf("%s is %s", id, found)
		case !errors.Is(err, xmpp.ItemNotFound):
			<-time.After(payPause)
			continue
		}
		m.again.add()
		return
	}
}

// receipt asks for a payment.
func (s *shopper) receipt(ctx context.Context, wanted intent.Intent) (string, error) {
	request, err := s.device.Pay(wanted)
	if err != nil {
		return "", err
	}
	answer, err := s.Set(ctx, xmpp.MustJID(payService), request)
	if err != nil {
		return "", err
	}
	return answer.ChildText(payer.NS, "text") + answer.ChildText(payer.NS, "signature"), nil
}

func (m *market) note(who *shopper, wanted intent.Intent, receipt string) {
	m.mu.Lock()
	m.receipts[wanted.ID] = receipt
	m.intents = append(m.intents, paidIntent{who, wanted})
	m.mu.Unlock()
	m.paid.add()
}

// compare asks for every payment once more, and looks at wallets and archives.
func (m *market) compare(ctx context.Context) {
	m.t.Helper()
	total := int64(0)
	for _, one := range m.intents {
		receipt, err := one.who.receipt(ctx, one.Intent)
		m.must(err)
		if receipt != m.receipts[one.ID] {
			m.t.Errorf("%s: the receipt was\n%s\nand is now\n%s", one.ID, m.receipts[one.ID], receipt)
		}
		total += one.Amount
	}
	fish := m.server.connect(ctx, m.server.config("fish"))
	wallet, err := fish.Get(ctx, xmpp.MustJID(payService), xmpp.NewElement(payer.NS, "wallet"))
	m.must(err)
	if got := wallet.Child(payer.NS, "balance").Attr("amount"); got != fmt.Sprint(total) {
		m.t.Errorf("the fishmonger has %s of %d", got, total)
	}
	m.told(ctx, fish, len(m.intents))
	for _, one := range m.people {
		n := 0
		for _, i := range m.intents {
			if i.who == one {
				n++
			}
		}
		m.told(ctx, one.Client, n)
	}
}

// told wants a notice of each payment in an archive. It waits for those that are not there yet.
func (m *market) told(ctx context.Context, who *client.Client, want int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		found, err := noticed(ctx, who)
		m.must(err)
		if found > want {
			m.t.Errorf("%s was told of %d payments, not %d", who.Account(), found, want)
		}
		if found >= want {
			return
		}
		select {
		case <-time.After(10 * payPause):
		case <-ctx.Done():
			m.t.Fatalf("%s was told of %d payments, not %d", who.Account(), found, want)
		}
	}
}

// verify reads the books with the operator's command.
func (m *market) verify() {
	m.t.Helper()
	verify := exec.Command(m.server.binary, "ledger", "verify")
	verify.Env = m.server.environment()
	output, err := verify.CombinedOutput()
	if err != nil {
		m.t.Errorf("ledger verify: %v: %s", err, output)
	}
	m.t.Logf("ledger verify: %s", strings.TrimSpace(string(output)))
}

// noticed is of how many payments an archive tells.
func noticed(ctx context.Context, who *client.Client) (int, error) {
	payments, query := map[string]bool{}, client.ArchiveQuery{With: xmpp.MustJID(payService), Max: client.MaxPage}
	for {
		page, err := who.Archive(ctx, query)
		if err != nil {
			return 0, err
		}
		for _, entry := range page.Entries {
			if payment := entry.Message.Child(payer.NS, "notice").Child(payer.NS, "payment"); payment.Attr("state") == "done" {
				payments[payment.Attr("id")] = true
			}
		}
		if page.Complete || len(page.Entries) == 0 {
			return len(payments), nil
		}
		query.After = page.Entries[len(page.Entries)-1].ID
	}
}
