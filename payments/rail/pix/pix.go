// Package pix is the adapter to Pix: the Banco Central do Brasil's API Pix v2 (OpenAPI 2.9), which every provider (PSP) offers to those who are paid. Cash-in is an
// immediate charge (cob) that the person pays by its code, a refund is a devolução. The API has nothing for paying out; where the provider has the interface that Efí
// calls "envio de Pix", cash-out goes by that, and other providers have none here. Left out: charges with a due date, recurring ones, and withdrawals in shops.
package pix

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/remote"
)

// Config is what an operator can set.
type Config struct {
	// URL is the provider's base of the API, with its version: https://…/v2. TokenURL is where it gives tokens.
	URL      string `toml:"url"`
	TokenURL string `toml:"token_url"`
	// ClientID and the secret in SecretFile are those of the contract.
	ClientID   string `toml:"client_id"`
	SecretFile string `toml:"secret_file"`
	// Certificate and Key are the PEM files of the certificate that the provider knows us by; every provider wants one. Authorities checks the provider's own; empty
	// for the system's.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	Authorities string `toml:"authorities"`
	// PixKey is the key (chave) of the operator's account.
	PixKey string `toml:"pix_key"`
	// SendURL is the base of an interface for paying out as Efí has it, without the version; empty for none.
	SendURL string `toml:"send_url"`
	// Minutes is how long a charge may be paid (5–1440).
	Minutes int `toml:"minutes"`
	// WebhookSecretFile holds a secret of our own: webhooks come to …/MARK/pix, where MARK is made of it (Client.Mark). WebhookAuthorities is a PEM file:
	// the certificate with which the provider calls must be of one of these. At least one of both is needed for webhooks.
	WebhookSecretFile  string `toml:"webhook_secret_file"`
	WebhookAuthorities string `toml:"webhook_authorities"`
}

// DefaultConfig needs the contract's.
func DefaultConfig() Config { return Config{Minutes: 60} }

// Filled has the default of what was not set.
func (c Config) Filled() Config {
	if c.Minutes == 0 {
		c.Minutes = DefaultConfig().Minutes
	}
	return c
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || c.TokenURL == "":
		return errors.New("pix: url and token_url must be addresses")
	case c.ClientID == "" || c.SecretFile == "":
		return errors.New("pix: client_id and secret_file are needed")
	case c.PixKey == "" || len(c.PixKey) > 77:
		return errors.New("pix: pix_key is 1 to 77 bytes")
	case c.Minutes < 5 || c.Minutes > 1440:
		return errors.New("pix: minutes must be from 5 to 1440")
	case (c.Certificate == "") != (c.Key == ""):
		return errors.New("pix: certificate and key belong together")
	}
	return nil
}

// Client is the adapter.
type Client struct {
	cfg     Config
	api     *remote.Remote
	send    *remote.Remote
	secret  string
	callers *x509.CertPool
	now     func() time.Time
}

const (
	unit     = "BRL"
	exponent = 2
	// repeat: the names are the provider's primary keys, and never mean anything else.
	repeat = 7 * 24 * time.Hour
	// late is how long after its end a charge may still turn out to be paid.
	late = 30 * time.Minute
	// markOf is what the mark in the webhook's address is made of, with the secret.
	markOf = "pix webhook"
)

// New makes the adapter. client may be nil; one that is given has the certificate itself.
func New(cfg Config, client *http.Client) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, now: time.Now}
	secrets, err := remote.Secrets(cfg.SecretFile, cfg.WebhookSecretFile)
	if err == nil && cfg.WebhookAuthorities != "" {
		c.callers, err = remote.Pool(cfg.WebhookAuthorities)
	}
	if err == nil && client == nil {
		client, err = remote.Client(cfg.Certificate, cfg.Key, cfg.Authorities)
	}
	if err != nil {
		return nil, fmt.Errorf("pix: %w", err)
	}
	password := secrets[0]
	c.secret = secrets[1]
	scope := "cob.read cob.write pix.read pix.write"
	if cfg.SendURL != "" {
		scope += " pix.send gn.pix.send.read"
	}
	token := &remote.Token{URL: cfg.TokenURL, ID: cfg.ClientID, Secret: password, Scope: scope, Client: client}
	c.api = &remote.Remote{Base: strings.TrimSuffix(cfg.URL, "/"), Client: client, Token: token}
	if cfg.SendURL != "" {
		c.send = &remote.Remote{Base: strings.TrimSuffix(cfg.SendURL, "/"), Client: client, Token: token}
	}
	return c, nil
}

// Terms says what it does.
func (c *Client) Terms() rail.Terms {
	return rail.Terms{Units: []string{unit}, In: true, Out: c.send != nil, Refunds: true, Repeat: repeat}
}

// value is an amount as the API writes it.
type value struct {
	Original string `json:"original"`
}

// cob is a charge.
type cob struct {
	TxID     string `json:"txid,omitempty"`
	Status   string `json:"status,omitempty"`
	Calendar struct {
		Created time.Time `json:"criacao,omitzero"`
		Lasts   int       `json:"expiracao"` // seconds
	} `json:"calendario"`
	Value    value  `json:"valor"`
	Key      string `json:"chave,omitempty"`
	Code     string `json:"pixCopiaECola,omitempty"`
	Received []pix  `json:"pix,omitempty"`
}

// pix is one that was received.
type pix struct {
	EndToEnd string      `json:"endToEndId"`
	TxID     string      `json:"txid"`
	Value    string      `json:"valor"`
	At       time.Time   `json:"horario"`
	Returns  []devolucao `json:"devolucoes"`
}

// devolucao is money that goes back.
type devolucao struct {
	ID     string `json:"id"`
	Return string `json:"rtrId"`
	Value  string `json:"valor"`
	Nature string `json:"natureza"`
	Times  struct {
		Settled time.Time `json:"liquidacao"`
	} `json:"horario"`
	Status string `json:"status"` // EM_PROCESSAMENTO, DEVOLVIDO, NAO_REALIZADO
	Reason string `json:"motivo"`
}

// Submit creates the charge, the devolução, or the payment out. The provider refuses a name that it knows: then it is asked about that.
func (c *Client) Submit(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	from, path, body := c.api, c.path(t), any(nil)
	switch t.Kind {
	case rail.CashIn:
		charge := cob{Value: value{rail.Decimal(t.Amount, exponent)}, Key: c.cfg.PixKey}
		charge.Calendar.Lasts = c.cfg.Minutes * 60
		body = charge
	case rail.Refund:
		body = map[string]string{"valor": rail.Decimal(t.Amount, exponent)}
	default:
		from, path = c.send, "/v3/gn/pix/"+remote.Name(t.ID)
		body = map[string]any{"valor": rail.Decimal(t.Amount, exponent), "pagador": map[string]string{"chave": c.cfg.PixKey}, "favorecido": map[string]string{"chave": t.Address}}
	}
	answer, err := from.Do(ctx, http.MethodPut, path, nil, body)
	if err != nil {
		return rail.Status{}, fmt.Errorf("pix: %w", err)
	}
	switch answer.Code {
	case http.StatusOK, http.StatusCreated:
		return c.read(t, answer)
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
		known, err := c.Ask(ctx, t)
		if err == nil && known.State == rail.Absent {
			return rail.Status{State: rail.Rejected, Why: problem(answer)}, nil
		}
		return known, err
	}
	return rail.Status{}, answer.Unclear()
}

// problem reads why something was refused (RFC 7807 §3.1, as API Pix uses it).
func problem(answer remote.Answer) string {
	var p struct {
		Title   string `json:"title"`
		Detail  string `json:"detail"`
		Name    string `json:"nome"`
		Message string `json:"mensagem"`
	}
	if err := answer.Into(&p); err != nil {
		return strconv.Itoa(answer.Code)
	}
	return strings.TrimSpace(p.Title + " " + p.Detail + " " + p.Name + " " + p.Message)
}

// path is where a transfer is asked about.
func (c *Client) path(t rail.Transfer) string {
	switch t.Kind {
	case rail.CashIn:
		return "/cob/" + remote.Name(t.ID)
	case rail.Refund:
		return "/pix/" + url.PathEscape(t.OfReference) + "/devolucao/" + remote.Name(t.ID)
	}
	return "/v2/gn/pix/enviados/id-envio/" + remote.Name(t.ID)
}

// Ask reads the charge, the devolução or the payment out by the name that we gave it.
func (c *Client) Ask(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	from := c.api
	if t.Kind == rail.CashOut {
		from = c.send
	}
	if from == nil {
		return rail.Status{}, errors.New("pix: send_url is not set any more")
	}
	answer, err := from.Do(ctx, http.MethodGet, c.path(t), nil, nil)
	switch {
	case err != nil:
		return rail.Status{}, fmt.Errorf("pix: %w", err)
	case answer.Code == http.StatusNotFound:
		return rail.Status{State: rail.Absent}, nil
	case answer.Code != http.StatusOK:
		return rail.Status{}, answer.Unclear()
	}
	return c.read(t, answer)
}

func (c *Client) read(t rail.Transfer, answer remote.Answer) (rail.Status, error) {
	switch t.Kind {
	case rail.CashIn:
		return c.charge(t, answer)
	case rail.Refund:
		return returned(answer)
	}
	return sent(answer)
}

// charge says how a charge stands.
func (c *Client) charge(t rail.Transfer, answer remote.Answer) (rail.Status, error) {
	var o cob
	if err := answer.Into(&o); err != nil {
		return rail.Status{}, fmt.Errorf("pix: %w", err)
	}
	if o.TxID != "" && o.TxID != remote.Name(t.ID) {
		return rail.Status{}, fmt.Errorf("pix: asked for one charge, answered about %.40q", o.TxID)
	}
	s := rail.Status{Reference: remote.Name(t.ID)}
	switch {
	case o.Status == "ATIVA" && !o.Calendar.Created.IsZero() && c.now().Sub(o.Calendar.Created) > time.Duration(o.Calendar.Lasts)*time.Second+late:
		s.State, s.Why = rail.Rejected, "it was not paid in time"
	case o.Status == "ATIVA":
		s.State, s.Next = rail.Accepted, rail.Next{Kind: "show", Value: o.Code}
	case o.Status == "CONCLUIDA" && len(o.Received) > 0:
		return received(t, o.Received[0])
	case strings.HasPrefix(o.Status, "REMOVIDA"):
		s.State, s.Why = rail.Rejected, o.Status
	default:
		return rail.Status{}, fmt.Errorf("pix: a charge in the state %.40q", o.Status)
	}
	return s, nil
}

// received says what was paid, less what went back without us.
func received(t rail.Transfer, p pix) (s rail.Status, err error) {
	s = rail.Status{State: rail.Settled, Reference: p.EndToEnd, At: p.At}
	if s.Amount, err = rail.ParseDecimal(p.Value, exponent); err != nil || p.EndToEnd == "" {
		return rail.Status{}, fmt.Errorf("pix: a payment of %.40q without what it is", p.Value)
	}
	var back int64
	for _, d := range p.Returns {
		if d.Status != "DEVOLVIDO" {
			continue
		}
		amount, err := rail.ParseDecimal(d.Value, exponent)
		if err != nil {
			return rail.Status{}, fmt.Errorf("pix: %w", err)
		}
		back += amount
	}
	s.Returned = min(max(back-t.Refunded, 0), s.Amount)
	return s, nil
}

// returned says how a devolução stands.
func returned(answer remote.Answer) (s rail.Status, err error) {
	var d devolucao
	if err := answer.Into(&d); err != nil {
		return s, fmt.Errorf("pix: %w", err)
	}
	s.Reference, s.At, s.Why = d.Return, d.Times.Settled, d.Reason
	return stands(s, d.Status, "DEVOLVIDO", d.Value)
}

// stands fills in the state of a devolução or of a payment out, whose names differ in what is done alone, and the amount.
func stands(s rail.Status, status, done, value string) (_ rail.Status, err error) {
	switch status {
	case "EM_PROCESSAMENTO":
		s.State = rail.Accepted
	case "NAO_REALIZADO":
		s.State = rail.Rejected
	case done:
		s.State = rail.Settled
		if s.Amount, err = rail.ParseDecimal(value, exponent); err != nil {
			return rail.Status{}, fmt.Errorf("pix: %w", err)
		}
	default:
		return rail.Status{}, fmt.Errorf("pix: a devolução or a payment out in the state %.40q", status)
	}
	return s, nil
}

// envio is a payment out, as Efí writes it.
type envio struct {
	EndToEnd string `json:"endToEndId"`
	E2E      string `json:"e2eId"`
	Value    string `json:"valor"`
	Status   string `json:"status"` // EM_PROCESSAMENTO, REALIZADO, NAO_REALIZADO
	Times    struct {
		Asked   time.Time `json:"solicitacao"`
		Settled time.Time `json:"liquidacao"`
	} `json:"horario"`
}

// at is when it was settled, or else asked for: the same in the answer and in the list.
func (e *envio) at() time.Time {
	if e.Times.Settled.IsZero() {
		return e.Times.Asked
	}
	return e.Times.Settled
}

func (e *envio) reference() string {
	if e.EndToEnd != "" {
		return e.EndToEnd
	}
	return e.E2E
}

func sent(answer remote.Answer) (s rail.Status, err error) {
	var e envio
	if err := answer.Into(&e); err != nil {
		return s, fmt.Errorf("pix: %w", err)
	}
	s.Reference, s.At = e.reference(), e.at()
	if s, err = stands(s, e.Status, "REALIZADO", e.Value); s.State == rail.Rejected {
		s.Why = e.Status
	}
	return s, err
}

// Mark is the part of the webhook's address that only the provider has from us, empty without a secret.
func (c *Client) Mark() string {
	if c.secret == "" {
		return ""
	}
	return remote.Mark(c.secret, markOf)
}

// Hear checks that the caller has a certificate of the provider's, or knows the address that we gave: the API has no signature in the message.
func (c *Client) Hear(r *http.Request, body []byte) (rail.Heard, error) {
	if !c.known(r) {
		return rail.Heard{}, rail.ErrForged
	}
	var told struct {
		Pix []pix `json:"pix"`
	}
	if err := (remote.Answer{Body: body}).Into(&told); err != nil {
		return rail.Heard{}, fmt.Errorf("pix: webhook: %w", err)
	}
	var heard rail.Heard
	for _, p := range told.Pix {
		for _, reference := range []string{p.TxID, p.EndToEnd} {
			if reference != "" {
				heard.References = append(heard.References, reference)
			}
		}
		for _, d := range p.Returns {
			if d.Return != "" {
				heard.References = append(heard.References, d.Return)
			}
		}
	}
	return heard, nil
}

func (c *Client) known(r *http.Request) bool {
	if c.callers != nil && (r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || !c.issued(r.TLS.PeerCertificates)) {
		return false
	}
	if c.secret == "" {
		return c.callers != nil
	}
	parts := strings.Split(strings.TrimSuffix(r.URL.Path, "/pix"), "/")
	return remote.Marked(c.secret, markOf, parts[len(parts)-1])
}

func (c *Client) issued(chain []*x509.Certificate) bool {
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: c.callers, Intermediates: between, CurrentTime: c.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}
