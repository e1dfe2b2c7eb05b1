package pay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

var b64 = base64.RawURLEncoding

// bank is a service with people, for tests.
type bank struct {
	testing.TB
	*Service
	ledger *ledger.Ledger
	end    func() // closes the ledger
	net    *net
	mu     sync.Mutex
	clock  time.Time // guarded by mu
}

// net is a network that keeps what it is given.
type net struct {
	mu   sync.Mutex
	sent []*xmpp.Stanza // guarded by mu
	fail error          // guarded by mu
}

func (n *net) Domain() string { return "pay.example" }

func (n *net) Send(_ context.Context, s *xmpp.Stanza) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	see(s.Child(NS, "notice"))
	if n.fail == nil {
		n.sent = append(n.sent, s)
	}
	return n.fail
}

// device is a device of somebody with a payment key.
type device struct {
	*bank
	account xmpp.JID
	key     *ecdsa.PrivateKey
	id      string
}

func testConfig() Config {
	c := DefaultConfig()
	c.Service, c.Accounts, c.Link = "pay.example", "example", "https://example/pay/"
	c.Levels = []string{"basic", "known"}
	c.Units = []Unit{
		{Code: "MAD", StepUp: 50_000, Offline: 20_000, Limits: []Limit{{"basic", 100_000, 200_000}, {"known", 0, 0}}, Fees: []Fee{{Kind: "cashout", Fixed: 100, Share: 100, Most: 1000}}},
		{Code: "EUR"},
		{Code: "XOF", Limits: []Limit{{"known", 0, 0}}},
	}
	return c
}

// unhurried is the same without rates that anybody would reach.
func unhurried() Config {
	c, r := testConfig(), Rate{maxAtOnce, minEvery}
	c.Rates = Rates{Ask: r, Series: r, Pay: r, Promise: r, Order: r, Key: r, Unlock: r, Cashin: r}
	return c
}

// each runs a test on both databases, with a fresh service on each.
func each(t *testing.T, run func(b *bank)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		t.Parallel()
		run(openBank(t, db, testConfig()))
	})
}

func openBank(t testing.TB, db *store.DB, cfg Config) *bank {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	book, err := ledger.New(t.Context(), ledger.DefaultConfig(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(book.Close)
	t.Cleanup(end)
	b := &bank{TB: t, ledger: book, end: end, net: &net{}, clock: time.Now().Truncate(time.Second)}
	if b.Service, err = New(t.Context(), cfg, db, book, b.net, log); err != nil {
		t.Fatal(err)
	}
	b.Service.now = func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.clock
	}
	return b
}

// later moves the clock.
func (b *bank) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

// fresh is an id that was never used.
func fresh() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return b64.EncodeToString(b)
}

// ask asks the service something as an account.
func (b *bank) ask(account xmpp.JID, set bool, payload *xmpp.Element) (*xmpp.Element, error) {
	b.Helper()
	from, err := account.WithResource("phone")
	if err != nil {
		b.Fatal(err)
	}
	read, err := xmpp.Parse(payload.String(), xmpp.Scope{}) // as it comes from the wire
	if err != nil {
		b.Fatal(err)
	}
	answer, err := b.HandleIQ(b.Context(), from, set, read)
	seeAnswer(answer, err)
	var wire *xmpp.Error
	if err != nil && !errors.As(err, &wire) {
		b.Errorf("%s: %v is no error of a stanza", payload.Local, err)
	}
	return answer, err
}

const pin = "a verifier made of PIN and device"

// newDevice makes a device, and adds its key with a PIN, which it gives once.
func (b *bank) newDevice(name string) *device {
	b.Helper()
	d := b.stranger(name)
	if _, err := b.ask(d.account, true, d.keyElement(pinKey)); err != nil {
		b.Fatalf("add key of %s: %v", name, err)
	}
	d.right()
	return d
}

// stranger makes a device whose key nobody knows.
func (b *bank) stranger(name string) *device {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	d := &device{bank: b, account: xmpp.MustJID(name + "@example"), key: key}
	d.id = intent.KeyID(d.point())
	return d
}

func (d *device) point() []byte {
	p, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.Fatal(err)
	}
	return p
}

// keyElement is what adds the device's key.
func (d *device) keyElement(kind string) *xmpp.Element {
	e := element("key", "kind", kind, "name", "phone").Add(xmpp.NewText(NS, "public", b64.EncodeToString(d.point())))
	if kind == pinKey {
		for _, one := range []struct{ name, value string }{{"salt", "salt of 16 bytes"}, {"verifier", pin}, {"share", "the share of the service"}} {
			e.Add(xmpp.NewText(NS, one.name, b64.EncodeToString([]byte(one.value))))
		}
	}
	if kind == passkey {
		e.Add(xmpp.NewText(NS, "credential", "credential"))
	}
	return e
}

// fund gives somebody money that the operator has issued.
func (b *bank) fund(account xmpp.JID, unit string, amount int64) {
	b.Helper()
	wallet := WalletAccount(unit, account)
	if err := b.open(b.Context(), unit, wallet); err != nil {
		b.Fatal(err)
	}
	_, err := b.ledger.Post(b.Context(), nil, ledger.Operation{ID: fresh(), Kind: ledger.Transfer, From: IssueAccount(unit), To: wallet, Amount: amount, Unit: unit})
	if err != nil {
		b.Fatal(err)
	}
}

// intent is a payment of MAD that changes are made to.
func (d *device) intent(kind intent.Kind, payee string, amount int64, changes ...func(i *intent.Intent)) *intent.Intent {
	i := &intent.Intent{Service: "pay.example", ID: fresh(), Kind: kind, Payer: d.account.String(), Payee: payee, Amount: amount, Unit: "MAD", Expires: d.now().Add(10 * time.Minute).UTC().Truncate(time.Second), Key: d.id}
	for _, change := range changes {
		change(i)
	}
	return i
}

// sign is a signed intent, as it is asked.
func (d *device) sign(i *intent.Intent) *xmpp.Element {
	d.Helper()
	text, err := i.Text()
	if err != nil {
		d.Fatal(err)
	}
	return d.signText(i.Key, text)
}

func (d *device) signText(key, text string) *xmpp.Element {
	d.Helper()
	value, err := intent.Sign(d.key, text)
	if err != nil {
		d.Fatal(err)
	}
	return element("pay").Add(xmpp.NewText(NS, "intent", text), xmpp.NewText(NS, "signature", b64.EncodeToString(value)).Set("key", key))
}

// pay signs an intent and hands it in.
func (d *device) pay(i *intent.Intent) (*xmpp.Element, error) {
	d.Helper()
	return d.ask(d.account, true, d.sign(i))
}

// send pays somebody MAD; it must work.
func (d *device) send(payee string, amount int64) *intent.Receipt {
	d.Helper()
	answer, err := d.pay(d.intent(intent.Send, payee, amount))
	if err != nil {
		d.Fatalf("send %d to %s: %v", amount, payee, err)
	}
	return d.receipt(answer)
}

// receipt checks and reads a receipt.
func (b *bank) receipt(answer *xmpp.Element) *intent.Receipt {
	b.Helper()
	signature, err := b64.DecodeString(answer.ChildText(NS, "signature"))
	if err != nil {
		b.Fatal(err)
	}
	r, err := intent.VerifyReceipt(b.Key(), answer.ChildText(NS, "text"), signature)
	if err != nil {
		b.Fatalf("%s: %v", answer, err)
	}
	return r
}

// order signs an order and hands it in.
func (d *device) order(kind intent.OrderKind, about string) error {
	d.Helper()
	_, err := d.ask(d.account, true, d.orderElement("order", kind, about))
	return err
}

func (d *device) orderElement(name string, kind intent.OrderKind, about string) *xmpp.Element {
	d.Helper()
	o := &intent.Order{Service: "pay.example", ID: fresh(), Kind: kind, Account: d.account.String(), About: about, Expires: d.now().Add(10 * time.Minute).UTC().Truncate(time.Second), Key: d.id}
	text, err := o.Text()
	if err != nil {
		d.Fatal(err)
	}
	value, err := intent.Sign(d.key, text)
	if err != nil {
		d.Fatal(err)
	}
	return element(name).Add(xmpp.NewText(NS, "text", text), xmpp.NewText(NS, "signature", b64.EncodeToString(value)).Set("key", d.id))
}

// unlock shows a verifier.
func (d *device) unlock(verifier string) error {
	d.Helper()
	_, err := d.ask(d.account, true, element("unlock", "key", d.id, "verifier", b64.EncodeToString([]byte(verifier))))
	return err
}

// right gives the right PIN.
func (d *device) right() {
	d.Helper()
	if err := d.unlock(pin); err != nil {
		d.Fatalf("the right PIN: %v", err)
	}
}

// refused checks why something was refused.
func (b *bank) refused(err error, why string) {
	b.Helper()
	var wire *xmpp.Error
	if !errors.As(err, &wire) || whyOf(wire) != why {
		b.Errorf("%v, which is not %s", err, why)
	}
}

// has checks what somebody has.
func (b *bank) has(account xmpp.JID, unit string, balance, pocket int64) {
	b.Helper()
	for name, want := range map[string]int64{WalletAccount(unit, account): balance, PocketAccount(unit, account): pocket} {
		if a, err := b.stands(b.Context(), name); err != nil || a.Balance != want {
			b.Errorf("%s stands at %d (%v), not at %d", name, a.Balance, err, want)
		}
	}
}

// even checks that the journal is sound, and that somebody has signed whatever left a wallet.
func (b *bank) even() {
	b.Helper()
	if _, err := b.ledger.Verify(b.Context(), [sha256.Size]byte{}, nil); err != nil {
		b.Error(err)
	}
	if a, err := CheckAuthority(b.Context(), b.ledger); err != nil || a.Others != 0 {
		b.Errorf("%d debits that nobody has signed (%v), the first of them %+v", a.Others, err, a.Unsigned)
	}
}

// told are the notices that have been sent to somebody, after all are sent.
func (b *bank) told(account xmpp.JID) (all []*xmpp.Element) {
	b.Helper()
	if _, err := b.sendDue(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.net.mu.Lock()
	defer b.net.mu.Unlock()
	for _, s := range b.net.sent {
		if s.To == account {
			all = append(all, s.Child(NS, "notice"))
		}
	}
	return all
}

func TestKarimPaysNadia(t *testing.T) {
	each(t, func(b *bank) {
		karim, nadia := b.newDevice("karim"), b.newDevice("nadia")
		b.fund(karim.account, "MAD", 20_000)
		i := karim.intent(intent.Send, "nadia@example", 12_500, func(i *intent.Intent) { i.For = "Sardines" })
		asked := karim.sign(i)
		answer, err := b.ask(karim.account, true, asked)
		if err != nil {
			t.Fatal(err)
		}
		r := b.receipt(answer)
		text, _ := i.Text()
		if r.ID != i.ID || r.State != intent.Done || r.Amount != 12_500 || r.Payee != "nadia@example" || r.For != "Sardines" || r.Intent != sha256.Sum256([]byte(text)) {
			t.Errorf("%+v", r)
		}
		kept, ok, err := b.ledger.Look(t.Context(), i.ID)
		if err != nil || !ok || kept.Number != r.Number || kept.Hash != r.Hash || !strings.HasPrefix(string(kept.Data), text+intent.EvidenceMark) {
			t.Errorf("the ledger has %+v (%v)", kept, err)
		}
		again, err := b.ask(karim.account, true, asked)
		if err != nil || again.String() != answer.String() {
			t.Errorf("asked again: %v (%v)", again, err)
		}
		b.has(karim.account, "MAD", 7_500, 0)
		b.has(nadia.account, "MAD", 12_500, 0)
		for _, one := range []struct{ to, chat xmpp.JID }{{karim.account, nadia.account}, {nadia.account, karim.account}} {
			notices := b.told(one.to)
			last := notices[len(notices)-1]
			if last.Attr("chat") != one.chat.String() || last.Child(NS, "payment").Child(NS, "receipt").String() != answer.String() {
				t.Errorf("%s was told %s", one.to, last)
			}
		}
		found, err := b.ask(nadia.account, false, element("lookup", "id", i.ID))
		if err != nil || found.Attr("state") != Done || found.Attr("number") != digits(r.Number) {
			t.Errorf("Nadia looks it up: %v (%v)", found, err)
		}
		if _, err := b.ask(xmpp.MustJID("soukaina@example"), false, element("lookup", "id", i.ID)); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("another account looks it up: %v", err)
		}
		b.even()
	})
}
