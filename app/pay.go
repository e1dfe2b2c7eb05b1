package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/component"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/xmpp"
)

// PayConfig is the section of payments. They are offered when there is a unit.
type PayConfig struct {
	// Rail are the ways to networks outside, each a section of its own: [pay.rail.NAME.momo] and so on (docs/rails.md).
	Rail map[string]adapter.Config `toml:"rail"`
	pay.Config
	// Server is the server whose component `palabre pay` is.
	Server component.Config `toml:"server"`
}

// Validate passes everything: what is missing comes from the rest of the file (Config.payments).
func (PayConfig) Validate() error { return nil }

// paying reports whether payments are offered.
func (c Config) paying() bool { return len(c.Pay.Units) > 0 }

// payments is the section with what the domain and the web door give in place of what is missing.
func (c Config) payments() pay.Config {
	cfg, web := c.Pay.Config, c.HTTP.Public(c.Domain)
	if cfg.Service == "" {
		cfg.Service = "pay." + c.Domain
	}
	if cfg.Accounts == "" {
		cfg.Accounts = c.Domain
	}
	if cfg.Link == "" {
		cfg.Link = web + payPath
	}
	if len(cfg.Origins) == 0 {
		cfg.Origins = origins([]string{web})
	}
	if u, err := url.Parse(web); cfg.RelyingParty == "" && err == nil {
		cfg.RelyingParty = u.Hostname()
	}
	return cfg
}

// payPath is where the page behind links is.
const payPath = "/payment/"

// makePayments makes the ledger and the service of payments, if there is a unit to pay in.
func (a *App) makePayments(ctx context.Context, contacts *roster.Feature, personal *pubsub.Feature, groups pay.Groups, office office) (err error) {
	if !a.cfg.paying() {
		return nil
	}
	cfg := a.cfg.payments()
	if a.ledger, err = ledger.New(ctx, a.cfg.Ledger, a.db, a.log); err != nil {
		return err
	}
	door := newPayDoor(cfg.Service, a.log)
	inside, err := component.NewInside(cfg.Service, door, a.log)
	if err != nil {
		return err
	}
	if door.service, err = pay.New(ctx, cfg, a.db, a.ledger, payNetwork{inside}, a.log); err != nil {
		return err
	}
	door.service.Know(payPeople{a.accounts, contacts, personal, a.reports})
	door.service.Meet(groups)
	a.pay = door.service
	if err := a.makeRails(ctx); err != nil {
		return err
	}
	office.commands.Raised = func(ctx context.Context, by, account *core.Account, what string) error {
		return a.pay.Raise(ctx, by.JID.Bare().String(), account.JID, what)
	}
	a.invites.Promoted = func(ctx context.Context, account *core.Account) error {
		return a.pay.Raise(ctx, "", account.JID, "admin")
	}
	a.invites.Linked = func(ctx context.Context, by xmpp.JID, account *core.Account) error {
		return a.pay.Note(ctx, by.String(), "password-link", account.JID.String(), "")
	}
	a.invites.Taken = func(ctx context.Context, by xmpp.JID, account *core.Account) error {
		return a.pay.Raise(ctx, by.String(), account.JID, "password")
	}
	desk := &payDesk{app: a, service: a.pay, only: office.desk.Only}
	if a.rails != nil {
		desk.rails = a.rails
		a.features = append(a.features, &railDesk{a.rails, a.pay, a.cfg.Pay.Rail, office.desk.Only})
	}
	a.features = append(a.features, a.ledger, a.pay, inside, payRemoval{a.pay}, payFigures{}, newPayPage(door, a.log), desk)
	return nil
}

// payNetwork is a component, outside or inside of the server, as the service of payments reaches people by it.
type payNetwork struct {
	way interface {
		JID() xmpp.JID
		Send(ctx context.Context, batch ...*xmpp.Stanza) error
	}
}

// Domain is the service's.
func (n payNetwork) Domain() string { return n.way.JID().Domain() }

// Send hands over one stanza.
func (n payNetwork) Send(ctx context.Context, st *xmpp.Stanza) error { return n.way.Send(ctx, st) }

var (
	payRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_pay_requests_total", Help: "Requests to the service of payments, by what is asked and outcome: done, or the condition of the error."}, []string{"request", "outcome"})
	paySeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "palabre_pay_request_seconds",
		Help: "Time from such a request to its answer.", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30}}, []string{"request"})
)

// payFigures are the figures of the service's door.
type payFigures struct{}

// Collectors are the figures for Prometheus.
func (payFigures) Collectors() []prometheus.Collector {
	return []prometheus.Collector{payRequests, paySeconds}
}

const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
	nsPing  = "urn:xmpp:ping"
)

// payDoor answers what comes to the domain of the service of payments: what it is (XEP-0030), that it is there (XEP-0199), and payments.
type payDoor struct {
	service *pay.Service
	domain  string
	log     *slog.Logger
	links   *rate.Limiter[string] // sent to an account because it has written
}

// maxLinks is how many links an account may ask for in an hour.
const maxLinks = 10

func newPayDoor(domain string, log *slog.Logger) *payDoor {
	return &payDoor{domain: domain, log: log, links: rate.New[string](maxLinks, time.Hour)}
}

// Handle answers a request (component.Handler). Whoever writes to the service is sent a link to their wallet.
func (d *payDoor) Handle(ctx context.Context, st *xmpp.Stanza) (*xmpp.Element, error) {
	payload := st.First()
	if payload != nil && !st.IsError() {
		lang, own := payload.LookupAttr(xmpp.NSXML, "lang") // of what is asked, else of the stanza (RFC 6120 §8.1.5)
		if !own {
			lang = st.Lang
		}
		d.speaks(ctx, st.From.Bare(), lang)
	}
	switch {
	case st.Kind == xmpp.Message && st.Body() != "" && !st.IsError():
		return nil, d.sendLink(ctx, st.From.Bare())
	case !st.IsRequest():
		return nil, nil
	case payload == nil:
		return nil, xmpp.BadRequest
	case st.To.Local() != "":
		return nil, xmpp.ItemNotFound
	case payload.Is(pay.NS, "cashin"): // a network is waited for (railPatience), and nobody else
		return nil, &component.Later{Do: func(ctx context.Context) (*xmpp.Element, error) { return d.pay(ctx, st, payload) }}
	case payload.Space == pay.NS:
		return d.pay(ctx, st, payload)
	case st.Type == "set":
		return nil, xmpp.ServiceUnavailable
	case payload.Is(nsPing, "ping"):
		return nil, nil
	case payload.Is(nsInfo, "query"), payload.Is(nsItems, "query"):
		return describePay(payload)
	}
	return nil, xmpp.ServiceUnavailable
}

// speaks notes in which language somebody is to be told things. Without it they are told all the same.
func (d *payDoor) speaks(ctx context.Context, account xmpp.JID, lang string) {
	if err := d.service.Speaks(ctx, account, lang); err != nil {
		d.log.Warn("a language could not be noted", "account", account.String(), "err", err)
	}
}

func (d *payDoor) sendLink(ctx context.Context, account xmpp.JID) error {
	if !d.links.Allow(account.String()) {
		return xmpp.ResourceConstraint.Because("at most %d links an hour", maxLinks)
	}
	return d.service.SendLink(ctx, account)
}

// describePay says what the service is.
func describePay(query *xmpp.Element) (*xmpp.Element, error) {
	if query.Attr("node") != "" {
		return nil, xmpp.ItemNotFound
	}
	answer := xmpp.NewElement(query.Space, "query")
	if query.Space == nsItems {
		return answer, nil
	}
	answer.Add(xmpp.NewElement(nsInfo, "identity").Set("category", "component").Set("type", "generic").Set("name", "Payments"))
	for _, feature := range []string{nsInfo, nsItems, nsPing, pay.NS} {
		answer.Add(xmpp.NewElement(nsInfo, "feature").Set("var", feature))
	}
	return answer, nil
}

// payWords are the requests that figures tell apart.
var payWords = map[string]bool{"about": true, "wallet": true, "quote": true, "lookup": true, "history": true, "request": true, "requests": true, "split": true, "splits": true, "debts": true,
	"mandates": true, "dispute": true, "disputes": true, "pay": true, "order": true, "key": true, "unlock": true, "freeze": true, "decline": true, "cancel": true, "remind": true, "evidence": true,
	"settle": true, "agree": true, "cashin": true}

func (d *payDoor) pay(ctx context.Context, st *xmpp.Stanza, payload *xmpp.Element) (*xmpp.Element, error) {
	return d.counted(payload, func() (*xmpp.Element, error) { return d.service.HandleIQ(ctx, st.From, st.Type == "set", payload) })
}

// counted asks the service, and counts what came of it.
func (d *payDoor) counted(payload *xmpp.Element, ask func() (*xmpp.Element, error)) (*xmpp.Element, error) {
	word, outcome, begun := payload.Local, "done", time.Now()
	if !payWords[word] {
		word = "other"
	}
	answer, err := ask()
	var told *xmpp.Error
	if errors.As(err, &told) {
		outcome = told.Condition
	}
	payRequests.WithLabelValues(word, outcome).Inc()
	paySeconds.WithLabelValues(word).Observe(time.Since(begun).Seconds())
	return answer, err
}

// payRemoval takes from an account that is removed what the service keeps of it beside the books.
type payRemoval struct{ service *pay.Service }

// Attach adds it to what a removal does.
func (p payRemoval) Attach(s *core.Server) {
	s.OnRemove(func(ctx context.Context, one *core.Account) error { return p.service.Leave(ctx, one.JID) })
}

// payPeople is who the service of payments knows in this server.
type payPeople struct {
	accounts *account.Accounts
	contacts *roster.Feature
	personal *pubsub.Feature
	shut     *blocking.Feature
}

const (
	nsNick     = "http://jabber.org/protocol/nick" // XEP-0172
	maxPayName = 100                               // bytes
	maxKnown   = 1000
)

// Person says whether there is such an account, and what it calls itself if everybody may know (XEP-0172).
func (p payPeople) Person(ctx context.Context, who xmpp.JID) (name string, exists bool, err error) {
	one, err := p.accounts.Account(ctx, who)
	if errors.Is(err, core.ErrNoAccount) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look for an account: %w", err)
	}
	access, err := p.personal.Access(ctx, one, nsNick)
	if err != nil || access != "open" {
		return "", true, nil
	}
	err = p.personal.Items(ctx, one, nsNick, func(_ string, payload *xmpp.Element) error {
		if payload.Is(nsNick, "nick") {
			name = strings.ToValidUTF8(strings.TrimSpace(payload.Text()), "")
		}
		return nil
	})
	if len(name) > maxPayName {
		name = strings.ToValidUTF8(name[:maxPayName], "")
	}
	return name, true, err
}

// Contacts are those whom an account has in its roster.
func (p payPeople) Contacts(ctx context.Context, who xmpp.JID) ([]pay.Contact, error) {
	one, err := p.accounts.Account(ctx, who)
	if err != nil {
		return nil, err
	}
	named, err := p.contacts.Named(ctx, one, maxKnown)
	if err != nil {
		return nil, err
	}
	known := make([]pay.Contact, 0, len(named))
	for _, c := range named {
		known = append(known, pay.Contact{Account: c.JID, Name: c.Name})
	}
	return known, nil
}

// Blocked says whether an account shuts somebody out (XEP-0191). One that is not there shuts nobody out.
func (p payPeople) Blocked(ctx context.Context, who, somebody xmpp.JID) (bool, error) {
	one, err := p.accounts.Account(ctx, who)
	if errors.Is(err, core.ErrNoAccount) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for an account: %w", err)
	}
	return p.shut.Blocked(ctx, one, somebody)
}
