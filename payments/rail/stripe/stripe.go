// Package stripe is the adapter to Stripe: cards and what else its Checkout takes. Cash-in is a Checkout Session, to whose page the person goes; cash-out is a Transfer
// to the person's connected account, from which Stripe pays out to their bank; refunds are Refunds. Our id is the Idempotency-Key and stands in the metadata, by which
// it is found again. The list for the nightly comparison is that of the balance transactions. Left out: storing cards, subscriptions, and payouts to the operator's
// own bank, which are made in Stripe's dashboard.
package stripe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/remote"
)

// Config is what an operator can set.
type Config struct {
	// URL is the base of the interface.
	URL string `toml:"url"`
	// Units are the currencies that are taken.
	Units []string `toml:"units"`
	// KeyFile holds the secret (or restricted) key, WebhookSecretFile the secret of the webhook's endpoint (whsec_…).
	KeyFile           string `toml:"key_file"`
	WebhookSecretFile string `toml:"webhook_secret_file"`
	// Return is where the person comes back to after paying, or not.
	Return string `toml:"return"`
	// Title is what the payment is called on Stripe's page.
	Title string `toml:"title"`
	// Version is the version of the interface that is asked for (Stripe-Version).
	Version string `toml:"version"`
}

// DefaultConfig needs keys, units and a return address.
func DefaultConfig() Config {
	return Config{URL: "https://api.stripe.com", Title: "Top-up", Version: "2024-06-20"}
}

// Filled has the default of what was not set.
func (c Config) Filled() Config {
	standard := DefaultConfig()
	for _, text := range []struct {
		own      *string
		standard string
	}{{&c.URL, standard.URL}, {&c.Title, standard.Title}, {&c.Version, standard.Version}} {
		if *text.own == "" {
			*text.own = text.standard
		}
	}
	return c
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	back, backErr := url.Parse(c.Return)
	switch {
	case err != nil || u.Host == "":
		return errors.New("stripe: url must be an address")
	case len(c.Units) == 0:
		return errors.New("stripe: units is empty")
	case c.KeyFile == "":
		return errors.New("stripe: key_file is empty")
	case backErr != nil || back.Host == "":
		return errors.New("stripe: return must be an address")
	case c.Title == "" || c.Version == "":
		return errors.New("stripe: title and version must not be empty")
	}
	return nil
}

// Client is the adapter.
type Client struct {
	cfg    Config
	remote *remote.Remote
	secret string
	now    func() time.Time
}

const (
	// ours is the name of our id in the metadata of Stripe's objects.
	ours = "palabre"
	// repeat is how long a key is sure to be known again: Stripe forgets them after 24 hours.
	repeat = 20 * time.Hour
	// tolerance is how old a signature of a webhook may be.
	tolerance = 5 * time.Minute
	// pages is how many pages of a list are looked through for a transfer of ours.
	pages = 20
	// lasting is how long a Checkout Session may be paid.
	lasting = 2 * time.Hour
)

// New makes the adapter. client may be nil.
func New(cfg Config, client *http.Client) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	secrets, err := remote.Secrets(cfg.KeyFile, cfg.WebhookSecretFile)
	if err == nil && client == nil {
		client, err = remote.Client("", "", "")
	}
	if err != nil {
		return nil, fmt.Errorf("stripe: %w", err)
	}
	key := secrets[0]
	c := &Client{cfg: cfg, secret: secrets[1], now: time.Now}
	c.remote = &remote.Remote{Base: strings.TrimSuffix(cfg.URL, "/"), Client: client, Prepare: func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Stripe-Version", cfg.Version)
		return nil
	}}
	return c, nil
}

// Terms says what it does.
func (c *Client) Terms() rail.Terms {
	return rail.Terms{Units: c.cfg.Units, In: true, Out: true, Refunds: true, Repeat: repeat}
}

// Submit creates the session, the transfer or the refund.
func (c *Client) Submit(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	form := url.Values{"metadata[" + ours + "]": {t.ID}}
	path := "/v1/checkout/sessions"
	switch t.Kind {
	case rail.CashIn:
		c.session(t, form)
	case rail.CashOut:
		if !strings.HasPrefix(t.Address, "acct_") {
			return rail.Status{State: rail.Rejected, Why: "the address is no connected account (acct_…)"}, nil
		}
		path = "/v1/transfers"
		add(form, "amount", strconv.FormatInt(t.Amount, 10), "currency", strings.ToLower(t.Unit), "destination", t.Address, "transfer_group", t.ID)
	default:
		path = "/v1/refunds"
		add(form, "amount", strconv.FormatInt(t.Amount, 10), "payment_intent", t.OfReference)
	}
	answer, err := c.remote.Do(ctx, http.MethodPost, path, http.Header{"Idempotency-Key": {t.ID}}, form)
	if err != nil {
		return rail.Status{}, fmt.Errorf("stripe: %w", err)
	}
	if answer.Code != http.StatusOK {
		return refused(answer)
	}
	return c.read(ctx, t, answer)
}

func add(form url.Values, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
}

// session fills in a Checkout Session for one amount.
func (c *Client) session(t rail.Transfer, form url.Values) {
	add(form, "mode", "payment", "client_reference_id", t.ID, "success_url", c.cfg.Return, "cancel_url", c.cfg.Return,
		"line_items[0][quantity]", "1", "line_items[0][price_data][currency]", strings.ToLower(t.Unit), "line_items[0][price_data][unit_amount]", strconv.FormatInt(t.Amount, 10),
		"line_items[0][price_data][product_data][name]", c.cfg.Title, "payment_intent_data[metadata]["+ours+"]", t.ID,
		// the same each time, or Stripe takes it for another request under the same key
		"expires_at", strconv.FormatInt(t.Created.Add(lasting+repeat).Unix(), 10))
}

// refused reads an error. What Stripe has looked at and not done is rejected; what is about our key, our speed or its own trouble says nothing.
func refused(answer remote.Answer) (rail.Status, error) {
	var f struct {
		Error struct{ Type, Code, Message string } `json:"error"`
	}
	certain := answer.Code == http.StatusBadRequest || answer.Code == http.StatusPaymentRequired || answer.Code == http.StatusNotFound
	if err := answer.Into(&f); err != nil || !certain || f.Error.Type != "invalid_request_error" && f.Error.Type != "card_error" {
		return rail.Status{}, answer.Unclear()
	}
	return rail.Status{State: rail.Rejected, Why: strings.TrimSpace(f.Error.Code + " " + f.Error.Message)}, nil
}

// Ask reads the object by Stripe's name for it, or looks for it by ours.
func (c *Client) Ask(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	switch {
	case strings.HasPrefix(t.Reference, "cs_"):
		return c.get(ctx, t, "/v1/checkout/sessions/"+url.PathEscape(t.Reference))
	case strings.HasPrefix(t.Reference, "pi_"):
		return c.paid(ctx, t, t.Reference)
	case strings.HasPrefix(t.Reference, "tr_"):
		return c.get(ctx, t, "/v1/transfers/"+url.PathEscape(t.Reference))
	case strings.HasPrefix(t.Reference, "re_"), strings.HasPrefix(t.Reference, "pyr_"):
		return c.get(ctx, t, "/v1/refunds/"+url.PathEscape(t.Reference))
	}
	list, query := "/v1/checkout/sessions", url.Values{}
	switch t.Kind {
	case rail.CashIn:
		add(query, "created[gte]", strconv.FormatInt(t.Sent.Add(-time.Hour).Unix(), 10), "created[lte]", strconv.FormatInt(t.Sent.Add(repeat+time.Hour).Unix(), 10))
	case rail.CashOut:
		list = "/v1/transfers"
		query.Set("transfer_group", t.ID)
	default:
		list = "/v1/refunds"
		query.Set("payment_intent", t.OfReference)
	}
	return c.find(ctx, t, list, query)
}

func (c *Client) get(ctx context.Context, t rail.Transfer, path string) (rail.Status, error) {
	answer, err := c.remote.Do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return rail.Status{}, fmt.Errorf("stripe: %w", err)
	}
	if answer.Code != http.StatusOK {
		return rail.Status{}, answer.Unclear()
	}
	return c.read(ctx, t, answer)
}

// list is a page of a list.
type list struct {
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
}

// walk calls each for the objects of a list, until it returns true, at most so many pages; complete says that there was no more.
func (c *Client) walk(ctx context.Context, path string, query url.Values, most int, each func(raw json.RawMessage) (done bool, err error)) (complete bool, err error) {
	query.Set("limit", "100")
	for range most {
		answer, err := c.remote.Do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, nil)
		if err != nil {
			return false, fmt.Errorf("stripe: %w", err)
		}
		var l list
		if answer.Code != http.StatusOK {
			return false, answer.Unclear()
		}
		if err := answer.Into(&l); err != nil {
			return false, fmt.Errorf("stripe: %w", err)
		}
		var last struct {
			ID string `json:"id"`
		}
		for _, raw := range l.Data {
			if done, err := each(raw); err != nil || done {
				return true, err
			}
			if err := json.Unmarshal(raw, &last); err != nil {
				return false, fmt.Errorf("stripe: read list: %w", err)
			}
		}
		if !l.HasMore || last.ID == "" {
			return true, nil
		}
		query.Set("starting_after", last.ID)
	}
	return false, nil
}

// find looks for a transfer of ours in a list, by our id in the metadata.
func (c *Client) find(ctx context.Context, t rail.Transfer, path string, query url.Values) (status rail.Status, err error) {
	status.State = rail.Absent
	complete, err := c.walk(ctx, path, query, pages, func(raw json.RawMessage) (bool, error) {
		var o object
		if err := json.Unmarshal(raw, &o); err != nil {
			return false, fmt.Errorf("stripe: read list: %w", err)
		}
		if o.Metadata[ours] != t.ID {
			return false, nil
		}
		status, err = c.read(ctx, t, remote.Answer{Body: raw})
		return true, err
	})
	if err == nil && !complete {
		err = errors.New("stripe: the list is too long to be looked through")
	}
	if err != nil {
		return rail.Status{}, err
	}
	return status, nil
}

// object is what we read of a Checkout Session, a Transfer, a Refund or a Charge.
type object struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountTotal    int64             `json:"amount_total"`
	AmountReversed int64             `json:"amount_reversed"`
	Currency       string            `json:"currency"`
	Created        int64             `json:"created"`
	Status         string            `json:"status"`
	PaymentStatus  string            `json:"payment_status"`
	PaymentIntent  string            `json:"payment_intent"`
	Charge         string            `json:"charge"`
	URL            string            `json:"url"`
	FailureReason  string            `json:"failure_reason"`
	ClientRef      string            `json:"client_reference_id"`
	Metadata       map[string]string `json:"metadata"`
}

// read says how an object stands.
func (c *Client) read(ctx context.Context, t rail.Transfer, answer remote.Answer) (rail.Status, error) {
	var o object
	if err := answer.Into(&o); err != nil {
		return rail.Status{}, fmt.Errorf("stripe: %w", err)
	}
	if o.ID == "" || !strings.EqualFold(o.Currency, t.Unit) {
		return rail.Status{}, fmt.Errorf("stripe: %.40q in %.10q, not in %s", o.ID, o.Currency, t.Unit)
	}
	s := rail.Status{Reference: o.ID, At: time.Unix(o.Created, 0).UTC()}
	switch o.Object {
	case "checkout.session":
		switch {
		case o.PaymentIntent != "" && o.PaymentStatus == "paid":
			return c.paid(ctx, t, o.PaymentIntent)
		case o.Status == "expired":
			s.State, s.Why = rail.Rejected, "the page was not paid in time"
		default:
			s.State, s.Next = rail.Accepted, rail.Next{Kind: "go", Value: o.URL}
		}
	case "transfer":
		s.State, s.Amount, s.Returned = rail.Settled, o.Amount, o.AmountReversed
	case "refund":
		switch o.Status {
		case "succeeded":
			s.State, s.Amount = rail.Settled, o.Amount
		case "failed", "canceled":
			s.State, s.Why = rail.Rejected, strings.TrimSpace(o.Status+" "+o.FailureReason)
		default:
			s.State = rail.Accepted
		}
	default:
		return rail.Status{}, fmt.Errorf("stripe: an object %.40q", o.Object)
	}
	return s, nil
}

// payment is what we read of a PaymentIntent with its charge and its balance transaction.
type payment struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Charge *struct {
		ID                 string `json:"id"`
		Amount             int64  `json:"amount_captured"`
		Refunded           int64  `json:"amount_refunded"`
		Disputed           bool   `json:"disputed"`
		Currency           string `json:"currency"`
		Created            int64  `json:"created"`
		BalanceTransaction *struct {
			Fee      int64  `json:"fee"`
			Currency string `json:"currency"`
			Created  int64  `json:"created"`
		} `json:"balance_transaction"`
	} `json:"latest_charge"`
}

// paid reads what a payment has brought: less what was given back without us, and what a dispute has taken.
func (c *Client) paid(ctx context.Context, t rail.Transfer, id string) (rail.Status, error) {
	answer, err := c.remote.Do(ctx, http.MethodGet, "/v1/payment_intents/"+url.PathEscape(id)+"?expand[]=latest_charge.balance_transaction", nil, nil)
	if err != nil {
		return rail.Status{}, fmt.Errorf("stripe: %w", err)
	}
	var p payment
	if answer.Code != http.StatusOK {
		return rail.Status{}, answer.Unclear()
	}
	if err := answer.Into(&p); err != nil {
		return rail.Status{}, fmt.Errorf("stripe: %w", err)
	}
	if p.Status != "succeeded" || p.Charge == nil || p.Charge.BalanceTransaction == nil || !strings.EqualFold(p.Charge.Currency, t.Unit) {
		return rail.Status{}, fmt.Errorf("stripe: a payment in the state %.40q, without its charge in %s", p.Status, t.Unit)
	}
	s := rail.Status{State: rail.Settled, Reference: id, Amount: p.Charge.Amount, At: time.Unix(p.Charge.BalanceTransaction.Created, 0).UTC()}
	if strings.EqualFold(p.Charge.BalanceTransaction.Currency, t.Unit) {
		s.Cost = p.Charge.BalanceTransaction.Fee
	}
	s.Returned = max(p.Charge.Refunded-t.Refunded, 0)
	if p.Charge.Disputed {
		taken, err := c.disputed(ctx, p.Charge.ID)
		if err != nil {
			return rail.Status{}, err
		}
		s.Returned += taken
	}
	s.Returned = min(s.Returned, s.Amount)
	return s, nil
}

// disputed is how much disputes have taken: while they are open, and when they are lost.
func (c *Client) disputed(ctx context.Context, charge string) (taken int64, err error) {
	_, err = c.walk(ctx, "/v1/disputes", url.Values{"charge": {charge}}, 1, func(raw json.RawMessage) (bool, error) {
		var d object
		if err := json.Unmarshal(raw, &d); err != nil {
			return false, fmt.Errorf("stripe: read dispute: %w", err)
		}
		if d.Status == "needs_response" || d.Status == "under_review" || d.Status == "lost" {
			taken += d.Amount
		}
		return false, nil
	})
	return taken, err
}

// Hear checks the Stripe-Signature: HMAC-SHA256 with the endpoint's secret over the time and the body, not older than five minutes.
func (c *Client) Hear(r *http.Request, body []byte) (rail.Heard, error) {
	if !c.signed(r.Header.Get("Stripe-Signature"), body) {
		return rail.Heard{}, rail.ErrForged
	}
	var event struct {
		ID   string `json:"id"`
		Data struct {
			Object object `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return rail.Heard{}, fmt.Errorf("stripe: read webhook: %w", err)
	}
	o := event.Data.Object
	heard := rail.Heard{Event: event.ID}
	for _, id := range []string{o.Metadata[ours], o.ClientRef} {
		if id != "" && !slices.Contains(heard.IDs, id) {
			heard.IDs = append(heard.IDs, id)
		}
	}
	for _, reference := range []string{o.ID, o.PaymentIntent} {
		if reference != "" {
			heard.References = append(heard.References, reference)
		}
	}
	return heard, nil
}

func (c *Client) signed(header string, body []byte) bool {
	if c.secret == "" {
		return false
	}
	var at string
	var signatures []string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			at = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || c.now().Sub(time.Unix(seconds, 0)).Abs() > tolerance || len(signatures) > 10 {
		return false
	}
	want := signature(c.secret, at, body)
	return slices.ContainsFunc(signatures, func(got string) bool { return hmac.Equal([]byte(got), []byte(want)) })
}

// signature is what Stripe signs a webhook with.
func signature(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// maxStatement is how many pages of balance transactions one comparison reads.
const maxStatement = 5000

// Statement reads the balance transactions.
func (c *Client) Statement(ctx context.Context, since, until time.Time, each func(rail.Line) error) error {
	query := url.Values{"created[gte]": {strconv.FormatInt(since.Unix(), 10)}, "created[lt]": {strconv.FormatInt(until.Unix(), 10)}, "expand[]": {"data.source"}}
	complete, err := c.walk(ctx, "/v1/balance_transactions", query, maxStatement, func(raw json.RawMessage) (bool, error) {
		line, ok, err := c.line(raw)
		if err != nil || !ok {
			return false, err
		}
		return false, each(line)
	})
	if err == nil && !complete {
		err = errors.New("stripe: the list of balance transactions is too long")
	}
	return err
}

// line reads a balance transaction; ok is false for what is not about people's money, as payouts to the operator's own bank and fees are.
func (c *Client) line(raw json.RawMessage) (line rail.Line, ok bool, err error) {
	var b struct {
		Type     string `json:"type"`
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
		Created  int64  `json:"created"`
		Source   object `json:"source"`
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return line, false, fmt.Errorf("stripe: read balance transaction: %w", err)
	}
	line = rail.Line{ID: b.Source.Metadata[ours], Reference: b.Source.ID, Unit: strings.ToUpper(b.Currency), Amount: max(b.Amount, -b.Amount), At: time.Unix(b.Created, 0).UTC()}
	if b.Source.PaymentIntent != "" && b.Source.Object != "refund" {
		line.Reference = b.Source.PaymentIntent
	}
	switch b.Type {
	case "charge", "payment", "transfer", "refund", "payment_refund":
		if b.Source.Object == "refund" && line.ID == "" { // made in the dashboard
			line.Return, line.Reference = true, b.Source.PaymentIntent
		}
		return line, true, nil
	case "transfer_refund", "transfer_cancel", "refund_failure", "payment_failure_refund":
		line.Return = true
		return line, true, nil
	case "adjustment": // a dispute takes, and gives back when it is won
		line.Return, line.Amount = true, -b.Amount
		return line, b.Source.Object == "dispute", nil
	}
	return line, false, nil
}
