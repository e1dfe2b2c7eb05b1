package pay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
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

// stage is a service on a database, with a clock that moves when it is told to, and with what it has told whom.
type stage struct {
	t       testing.TB
	s       *Service
	book    *ledger.Ledger
	people  map[string]*actor
	mu      sync.Mutex
	clock   time.Time
	told    []*xmpp.Stanza
	counter int
	outside map[string]bool // who is in no group
	unknown bool            // who is in groups
}

// actor is somebody with a payment key.
type actor struct {
	stage *stage
	name  string
	jid   xmpp.JID
	key   *ecdsa.PrivateKey
	keyID string
}

// Domain and Send make the stage the service's network.
func (g *stage) Domain() string { return "pay.example" }

func (g *stage) Send(_ context.Context, st *xmpp.Stanza) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, st)
	return nil
}

// Members makes the stage who knows groups.
func (g *stage) Members(context.Context, xmpp.JID) (all []xmpp.JID, known bool, err error) {
	for name, a := range g.people {
		if !g.outside[name] {
			all = append(all, a.jid)
		}
	}
	return all, !g.unknown, nil
}

func (g *stage) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clock
}

func (g *stage) later(d time.Duration) {
	g.mu.Lock()
	g.clock = g.clock.Add(d)
	g.mu.Unlock()
	if err := g.s.sweep(context.Background()); err != nil {
		g.t.Fatal(err)
	}
}

// newStage makes a service with people who have 1000.00 MAD each.
func newStage(t testing.TB, db *store.DB, names ...string) *stage {
	t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	book, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(book.Close)
	cfg := DefaultConfig()
	cfg.Service, cfg.Accounts = "pay.example", "example"
	cfg.Units = []Unit{{Code: "MAD"}, {Code: "EUR"}}
	g := &stage{t: t, book: book, people: map[string]*actor{}, outside: map[string]bool{}, clock: time.Now().UTC().Truncate(time.Second)}
	if g.s, err = New(ctx, cfg, db, book, g, log); err != nil {
		t.Fatal(err)
	}
	g.s.now = g.now
	g.s.Meet(g)
	for _, name := range names {
		g.enter(name)
		g.notices(name)
	}
	return g
}

// enter gives somebody a key that works, and 1000.00 MAD.
func (g *stage) enter(name string) *actor {
	ctx := context.Background()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		g.t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		g.t.Fatal(err)
	}
	a := &actor{g, name, xmpp.MustJID(name + "@example"), key, intent.KeyID(public)}
	device := (&device{key: key}).keyElement(pinKey)
	if _, err := a.ask(true, device.String()); err != nil {
		g.t.Fatalf("add key of %s: %v", name, err)
	}
	wallet := WalletAccount("MAD", a.jid)
	if err := g.s.open(ctx, "MAD", wallet); err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.book.Post(ctx, nil, ledger.Operation{ID: "issue-" + name, Kind: ledger.Transfer, From: IssueAccount("MAD"), To: wallet, Amount: 100_000, Unit: "MAD"}); err != nil {
		g.t.Fatal(err)
	}
	g.people[name] = a
	return a
}

// id is an id that was not used before.
func (g *stage) id() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counter++
	return "id-of-this-test-" + digits(int64(g.counter))
}

// balance is what somebody has, and what of it is held.
func (g *stage) balance(name string) (balance, held int64) {
	a, err := g.book.Account(context.Background(), WalletAccount("MAD", g.people[name].jid))
	if err != nil {
		g.t.Fatal(err)
	}
	return a.Balance, a.Held
}

// has fails unless people have these amounts: "karim", 100_000, …
func (g *stage) has(want ...any) {
	g.t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got, _ := g.balance(want[i].(string)); got != int64(want[i+1].(int)) {
			g.t.Errorf("%s has %d, want %d", want[i], got, want[i+1])
		}
	}
}

// ask sends a request and returns its answer or its error.
func (a *actor) ask(set bool, text string) (*xmpp.Element, error) {
	if !strings.Contains(text, "xmlns") {
		end := strings.IndexAny(text, " />")
		text = text[:end] + " xmlns='" + NS + "'" + text[end:]
	}
	e, err := xmpp.Parse(text, xmpp.Scope{})
	if err != nil {
		a.stage.t.Fatalf("%s: %v", text, err)
	}
	from, err := a.jid.WithResource("phone")
	if err != nil {
		a.stage.t.Fatal(err)
	}
	answer, err := a.stage.s.HandleIQ(context.Background(), from, set, e)
	seeAnswer(answer, err)
	return answer, err
}

// set and get ask for what must be answered.
func (a *actor) set(text string) *xmpp.Element {
	a.stage.t.Helper()
	e, err := a.ask(true, text)
	if err != nil {
		a.stage.t.Fatalf("%s asks %s: %v", a.name, text, err)
	}
	return e
}

func (a *actor) get(text string) *xmpp.Element {
	a.stage.t.Helper()
	e, err := a.ask(false, text)
	if err != nil {
		a.stage.t.Fatalf("%s asks %s: %v", a.name, text, err)
	}
	return e
}

// refused asks for what must be refused with a condition of the protocol, or of RFC 6120 where it has none.
func (a *actor) refused(want string, set bool, text string) {
	a.stage.t.Helper()
	e, err := a.ask(set, text)
	if err == nil {
		a.stage.t.Fatalf("%s asks %s and gets %s", a.name, text, e)
	}
	if got := conditionOf(err); got != want {
		a.stage.t.Fatalf("%s asks %s: %s (%v), want %s", a.name, text, got, err, want)
	}
}

func conditionOf(err error) string {
	var wire *xmpp.Error
	if err == nil || !errors.As(err, &wire) {
		return ""
	}
	return whyOf(wire)
}

// order is an intent of an actor, not yet signed.
func (a *actor) intent(kind intent.Kind, payer, payee string, amount int64, of string) *intent.Intent {
	i := &intent.Intent{Service: "pay.example", ID: a.stage.id(), Kind: kind, Payer: payer + "@example", Payee: payee + "@example", Amount: amount, Of: of,
		Expires: a.stage.now().Add(10 * time.Minute), Key: a.keyID}
	if kind != intent.Void && kind != intent.Revoke {
		i.Unit = "MAD"
	}
	return i
}

// signature is an actor's of a text.
func (a *actor) signature(text string) *xmpp.Element {
	signed, err := intent.Sign(a.key, text)
	if err != nil {
		a.stage.t.Fatal(err)
	}
	return xmpp.NewText(NS, "signature", base64.RawURLEncoding.EncodeToString(signed)).Set("key", a.keyID)
}

// hand hands in an intent with a signature of the actor.
func (a *actor) hand(i *intent.Intent) (*xmpp.Element, error) {
	text, err := i.Text()
	if err != nil {
		a.stage.t.Fatal(err)
	}
	from, err := a.jid.WithResource("phone")
	if err != nil {
		a.stage.t.Fatal(err)
	}
	return a.stage.s.HandleIQ(context.Background(), from, true, element("pay").Add(xmpp.NewText(NS, "intent", text), a.signature(text)))
}

// done hands in what must be done, and gives its id.
func (a *actor) done(i *intent.Intent) string {
	a.stage.t.Helper()
	e, err := a.hand(i)
	if err != nil {
		a.stage.t.Fatalf("%s: %s of %d: %v", a.name, i.Kind, i.Amount, err)
	}
	receipt, err := intent.ParseReceipt(e.ChildText(NS, "text"))
	if err != nil || receipt.ID != i.ID {
		a.stage.t.Fatalf("the receipt of %s: %v\n%s", i.ID, err, e)
	}
	return i.ID
}

// fails hands in what must be refused, and stays so.
func (a *actor) fails(want string, i *intent.Intent) {
	a.stage.t.Helper()
	for range 2 {
		e, err := a.hand(i)
		if err == nil {
			a.stage.t.Fatalf("%s: %s of %d was done: %s", a.name, i.Kind, i.Amount, e)
		}
		if got := conditionOf(err); got != want {
			a.stage.t.Fatalf("%s: %s of %d: %s (%v), want %s", a.name, i.Kind, i.Amount, got, err, want)
		}
	}
}

// send is a payment to somebody, for a request or for nothing.
func (a *actor) send(payee string, amount int64, of string) *intent.Intent {
	return a.intent(intent.Send, a.name, payee, amount, of)
}

// notices are those that somebody was told since the last time, as NAME[ATTRIBUTE…] of what they say.
func (g *stage) notices(name string, attributes ...string) (all []string) {
	g.t.Helper()
	if _, err := g.s.sendDue(context.Background()); err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = slices.DeleteFunc(g.told, func(st *xmpp.Stanza) bool {
		if st.To != g.people[name].jid {
			return false
		}
		child := st.Child(NS, "notice").First()
		text := child.Local
		for _, attribute := range attributes {
			text += " " + child.Attr(attribute)
		}
		if st.Body() == "" || st.Child(NS, "notice").Attr("id") != st.ID {
			g.t.Errorf("a notice without words or id: %s", st)
		}
		all = append(all, text)
		return true
	})
	return all
}

// attributes fails unless an element has these: "state", "paid", …
func (g *stage) attributes(e *xmpp.Element, want ...string) {
	g.t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := e.Attr(want[i]); got != want[i+1] {
			g.t.Errorf("%s is %q, want %q: %s", want[i], got, want[i+1], e)
		}
	}
}

// on runs a test with some people on both databases.
func on(t *testing.T, names string, run func(t *testing.T, g *stage)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { run(t, newStage(t, db, strings.Fields(names)...)) })
}
