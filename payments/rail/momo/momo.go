// Package momo is the adapter to mobile money: the GSMA Mobile Money API 1.2, which operators and aggregators in Africa and Asia offer. Cash-in asks a customer's
// telephone for a payment (merchantpay), cash-out pays to one (disbursement), a refund is a reversal. Our id is the X-CorrelationID; what became of it is asked by
// /responses and /requeststates. Left out: bills, mandates, quotations and links of accounts, and the fees of an operator, which differ with the contract.
package momo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/remote"
)

// Config is what an operator can set.
type Config struct {
	// URL is the base of the interface, with its version: https://…/v1.2/mm
	URL string `toml:"url"`
	// Units are the currencies of the account, each with its digits in ISO 4217.
	Units []string `toml:"units"`
	// IdentifierType and Identifier name the operator's own account there (accountid, organisationid, msisdn, …).
	IdentifierType string `toml:"identifier_type"`
	Identifier     string `toml:"identifier"`
	// ClientID is sent as X-Client-Id; APIKeyFile holds what is sent as X-API-Key. Either may be empty.
	ClientID   string `toml:"client_id"`
	APIKeyFile string `toml:"api_key_file"`
	// TokenURL gives OAuth 2.0 tokens for User and the secret in SecretFile; without it these are sent as HTTP Basic, or nothing if User is empty.
	TokenURL   string `toml:"token_url"`
	User       string `toml:"user"`
	SecretFile string `toml:"secret_file"`
	// Callback is the address of this server where the network tells what happened, without a slash at its end; CallbackSecretFile holds a secret of our own that
	// makes each address unguessable. Without them the network is only asked.
	Callback           string `toml:"callback"`
	CallbackSecretFile string `toml:"callback_secret_file"`
	// Certificate, Key and Authorities are PEM files for TLS, where the network wants a certificate.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	Authorities string `toml:"authorities"`
	// RepeatHours is for how long the network knows an X-CorrelationID again, by contract (1–720).
	RepeatHours int `toml:"repeat_hours"`
}

// DefaultConfig fits most contracts.
func DefaultConfig() Config { return Config{IdentifierType: "organisationid", RepeatHours: 72} }

// Filled has the default of what was not set.
func (c Config) Filled() Config {
	standard := DefaultConfig()
	if c.IdentifierType == "" {
		c.IdentifierType = standard.IdentifierType
	}
	if c.RepeatHours == 0 {
		c.RepeatHours = standard.RepeatHours
	}
	return c
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		return errors.New("momo: url must be an address")
	case len(c.Units) == 0:
		return errors.New("momo: units is empty")
	case c.Identifier == "" || c.IdentifierType == "":
		return errors.New("momo: identifier and identifier_type name the operator's account")
	case c.RepeatHours < 1 || c.RepeatHours > 720:
		return errors.New("momo: repeat_hours must be from 1 to 720")
	case (c.Callback == "") != (c.CallbackSecretFile == ""):
		return errors.New("momo: callback and callback_secret_file belong together")
	}
	return nil
}

// Client is the adapter.
type Client struct {
	cfg    Config
	remote *remote.Remote
	secret string
}

// New makes the adapter. client may be nil; one that is given has the certificates itself.
func New(cfg Config, client *http.Client) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	secrets, err := remote.Secrets(cfg.APIKeyFile, cfg.SecretFile, cfg.CallbackSecretFile)
	if err == nil && client == nil {
		client, err = remote.Client(cfg.Certificate, cfg.Key, cfg.Authorities)
	}
	if err != nil {
		return nil, fmt.Errorf("momo: %w", err)
	}
	key, password := secrets[0], secrets[1]
	c := &Client{cfg: cfg, secret: secrets[2]}
	c.remote = &remote.Remote{Base: strings.TrimSuffix(cfg.URL, "/"), Client: client, Prepare: func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-Date", time.Now().UTC().Format(time.RFC3339))
		set(r.Header, "X-Client-Id", cfg.ClientID)
		set(r.Header, "X-API-Key", key)
		if cfg.TokenURL == "" && cfg.User != "" {
			r.SetBasicAuth(cfg.User, password)
		}
		return nil
	}}
	if cfg.TokenURL != "" {
		c.remote.Token = &remote.Token{URL: cfg.TokenURL, ID: cfg.User, Secret: password, Client: client}
	}
	return c, nil
}

func set(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// Terms says what it does.
func (c *Client) Terms() rail.Terms {
	return rail.Terms{Units: c.cfg.Units, In: true, Out: true, Refunds: true, Repeat: time.Duration(c.cfg.RepeatHours) * time.Hour}
}

// party is a list of one identifier.
type party []struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func one(key, value string) party {
	return party{{Key: key, Value: value}}
}

// transaction is what the API calls so, as far as we use it.
type transaction struct {
	Reference   string    `json:"transactionReference,omitempty"`
	Ours        string    `json:"requestingOrganisationTransactionReference,omitempty"`
	Type        string    `json:"type,omitempty"`
	Amount      string    `json:"amount,omitempty"`
	Currency    string    `json:"currency,omitempty"`
	DebitParty  party     `json:"debitParty,omitempty"`
	CreditParty party     `json:"creditParty,omitempty"`
	Status      string    `json:"transactionStatus,omitempty"`
	Created     time.Time `json:"creationDate,omitzero"`
	Modified    time.Time `json:"modificationDate,omitzero"`
}

// requestState is how an asynchronous request stands.
type requestState struct {
	Server    string  `json:"serverCorrelationId"`
	Object    string  `json:"objectReference"`
	Status    string  `json:"status"` // pending, completed, failed
	Error     failure `json:"error"`
	Reason    string  `json:"pendingReason"`
	PollLimit int     `json:"pollLimit"`
}

type failure struct {
	Category    string `json:"errorCategory"`
	Code        string `json:"errorCode"`
	Description string `json:"errorDescription"`
}

func (f failure) String() string {
	return strings.TrimSpace(f.Category + " " + f.Code + " " + f.Description)
}

// queued begins a Reference that is a serverCorrelationId: the request waits and has no transaction yet.
const queued = "request:"

// msisdn is a telephone number (ITU-T E.164).
var msisdn = regexp.MustCompile(`^\+?[0-9]{6,15}$`)

// Submit asks for the transaction.
func (c *Client) Submit(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	own := one(c.cfg.IdentifierType, c.cfg.Identifier)
	body := transaction{Ours: t.ID, Amount: rail.Decimal(t.Amount, t.Exponent), Currency: t.Unit}
	path := "/transactions/type/merchantpay"
	switch t.Kind {
	case rail.CashIn:
		body.DebitParty, body.CreditParty = one("msisdn", t.Address), own
	case rail.CashOut:
		path, body.DebitParty, body.CreditParty = "/transactions/type/disbursement", own, one("msisdn", t.Address)
	default:
		path, body.Type = "/transactions/"+url.PathEscape(t.OfReference)+"/reversals", "reversal"
	}
	if t.Kind != rail.Refund && !msisdn.MatchString(t.Address) {
		return rail.Status{State: rail.Rejected, Why: "the address is no telephone number"}, nil
	}
	header := http.Header{}
	header["X-CorrelationID"] = []string{remote.UUID(t.ID)}
	if c.cfg.Callback != "" {
		header["X-Callback-URL"] = []string{c.cfg.Callback + "/" + t.ID + "/" + remote.Mark(c.secret, t.ID)}
	}
	answer, err := c.remote.Do(ctx, http.MethodPost, path, header, body)
	if err != nil {
		return rail.Status{}, fmt.Errorf("momo: %w", err)
	}
	switch answer.Code {
	case http.StatusCreated, http.StatusOK:
		return c.transaction(t, answer)
	case http.StatusAccepted:
		return c.state(ctx, t, answer)
	case http.StatusBadRequest, http.StatusNotFound:
		return refused(answer)
	}
	return rail.Status{}, answer.Unclear()
}

// refused reads an error: one that a request of the same name may have caused before says nothing.
func refused(answer remote.Answer) (rail.Status, error) {
	var f failure
	if err := answer.Into(&f); err != nil || f.Code == "" || f.Code == "duplicateRequest" || f.Category != "businessRule" && f.Category != "validation" && f.Category != "identification" ||
		f.Code == "rateLimitError" {
		return rail.Status{}, answer.Unclear()
	}
	return rail.Status{State: rail.Rejected, Why: f.String()}, nil
}

// Ask asks by the request's state while it has no transaction, else by the transaction; with neither known, by our X-CorrelationID.
func (c *Client) Ask(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	path := "/transactions/" + url.PathEscape(t.Reference)
	server, waits := strings.CutPrefix(t.Reference, queued)
	switch {
	case waits:
		answer, err := c.get(ctx, "/requeststates/"+url.PathEscape(server))
		if err != nil {
			return rail.Status{}, err
		}
		if answer.Code == http.StatusOK {
			return c.state(ctx, t, answer)
		}
		return rail.Status{}, answer.Unclear()
	case t.Reference == "":
		answer, err := c.get(ctx, "/responses/"+remote.UUID(t.ID))
		if err != nil {
			return rail.Status{}, err
		}
		var found struct {
			Link string `json:"link"`
		}
		if answer.Code == http.StatusNotFound {
			return rail.Status{State: rail.Absent}, nil
		}
		if answer.Code != http.StatusOK || answer.Into(&found) != nil {
			return rail.Status{}, answer.Unclear()
		}
		if path = linked(found.Link); path == "" {
			return rail.Status{}, fmt.Errorf("momo: a link to %.100q", found.Link)
		}
	}
	answer, err := c.get(ctx, path)
	if err != nil {
		return rail.Status{}, err
	}
	switch {
	case answer.Code != http.StatusOK:
		return rail.Status{}, answer.Unclear()
	case strings.HasPrefix(path, "/requeststates/"):
		return c.state(ctx, t, answer)
	}
	return c.transaction(t, answer)
}

// linked is the path of a transaction or a request's state that a link names, empty if it names something else.
func linked(link string) string {
	for _, kind := range []string{"/transactions/", "/requeststates/"} {
		if _, name, ok := strings.Cut("/"+strings.TrimPrefix(link, "/"), kind); ok && name != "" && !strings.ContainsAny(name, "/?#") {
			return kind + name
		}
	}
	return ""
}

func (c *Client) get(ctx context.Context, path string) (remote.Answer, error) {
	answer, err := c.remote.Do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return answer, fmt.Errorf("momo: %w", err)
	}
	return answer, nil
}

// state reads how a request stands, and its transaction if it has one.
func (c *Client) state(ctx context.Context, t rail.Transfer, answer remote.Answer) (rail.Status, error) {
	var s requestState
	if err := answer.Into(&s); err != nil {
		return rail.Status{}, fmt.Errorf("momo: %w", err)
	}
	switch {
	case s.Status == "pending" && s.Server != "":
		return rail.Status{State: rail.Accepted, Reference: queued + s.Server, Next: rail.Next{Kind: "wait"}, Why: s.Reason}, nil
	case s.Status == "failed":
		return rail.Status{State: rail.Rejected, Why: s.Error.String()}, nil
	case s.Status == "completed" && s.Object != "":
		answer, err := c.get(ctx, "/transactions/"+url.PathEscape(s.Object[strings.LastIndexByte(s.Object, '/')+1:]))
		if err != nil {
			return rail.Status{}, err
		}
		if answer.Code == http.StatusOK {
			return c.transaction(t, answer)
		}
		return rail.Status{}, answer.Unclear()
	}
	return rail.Status{}, fmt.Errorf("momo: a request in the state %.40q", s.Status)
}

// transaction reads what became of a transaction.
func (c *Client) transaction(t rail.Transfer, answer remote.Answer) (rail.Status, error) {
	var m transaction
	if err := answer.Into(&m); err != nil {
		return rail.Status{}, fmt.Errorf("momo: %w", err)
	}
	s := rail.Status{Reference: m.Reference, At: m.Modified}
	if s.At.IsZero() {
		s.At = m.Created
	}
	var err error
	if s.Amount, err = rail.ParseDecimal(m.Amount, t.Exponent); err != nil || m.Currency != t.Unit || m.Reference == "" {
		return rail.Status{}, fmt.Errorf("momo: a transaction of %.40q %.10q, and not in %s", m.Amount, m.Currency, t.Unit)
	}
	switch strings.ToLower(m.Status) {
	case "completed":
		s.State = rail.Settled
	case "reversed":
		s.State, s.Returned = rail.Settled, max(s.Amount-t.Refunded, 0)
	case "pending", "initiated", "onhold", "on_hold":
		s.State, s.Next = rail.Accepted, rail.Next{Kind: "wait"}
	case "failed", "declined", "cancelled", "expired":
		s.State, s.Why = rail.Rejected, m.Status
	default:
		return rail.Status{}, fmt.Errorf("momo: a transaction in the state %.40q", m.Status)
	}
	return s, nil
}

// Hear checks that the address ends with the mark that we gave for this transfer: the API has no signature of its own.
func (c *Client) Hear(r *http.Request, _ []byte) (rail.Heard, error) {
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) < 2 || !remote.Marked(c.secret, parts[len(parts)-2], parts[len(parts)-1]) {
		return rail.Heard{}, rail.ErrForged
	}
	return rail.Heard{IDs: []string{parts[len(parts)-2]}}, nil
}

// page is how many entries of a statement are asked for at once.
const page = 100

// Statement reads the statement of the operator's account.
func (c *Client) Statement(ctx context.Context, since, until time.Time, each func(rail.Line) error) error {
	account := "/accounts/" + url.PathEscape(c.cfg.IdentifierType) + "/" + url.PathEscape(c.cfg.Identifier) + "/statemententries?"
	for offset := 0; ; offset += page {
		query := url.Values{"fromDateTime": {since.UTC().Format(time.RFC3339)}, "toDateTime": {until.UTC().Format(time.RFC3339)}, "limit": {strconv.Itoa(page)}, "offset": {strconv.Itoa(offset)}}
		answer, err := c.get(ctx, account+query.Encode())
		if err != nil {
			return err
		}
		var entries []transaction
		if answer.Code != http.StatusOK {
			return answer.Unclear()
		}
		if err := answer.Into(&entries); err != nil {
			return fmt.Errorf("momo: statement: %w", err)
		}
		for _, m := range entries {
			if err := c.line(m, each); err != nil {
				return err
			}
		}
		if len(entries) < page {
			return nil
		}
	}
}

func (c *Client) line(m transaction, each func(rail.Line) error) error {
	if status := strings.ToLower(m.Status); status != "completed" && status != "reversed" || !slices.Contains(c.cfg.Units, m.Currency) {
		return nil
	}
	at := m.Modified
	if at.IsZero() {
		at = m.Created
	}
	return each(rail.Line{Reference: m.Reference, Decimal: m.Amount, Unit: m.Currency, At: at})
}
