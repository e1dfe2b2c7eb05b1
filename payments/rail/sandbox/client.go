package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"palabre.dev/palabre/payments/rail"
)

// Config is what an operator can set.
type Config struct {
	// URL is where the simulator answers; empty for one in this process, which forgets everything when it ends.
	URL string `toml:"url"`
	// Secret signs webhooks.
	Secret string `toml:"secret"`
	// Units are those that it moves.
	Units []string `toml:"units"`
	// Seconds is how long the simulator in this process takes for a transfer (0–86400).
	Seconds int `toml:"seconds"`
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if len(c.Units) == 0 {
		return errors.New("sandbox: units is empty")
	}
	if c.Seconds < 0 || c.Seconds > 86400 {
		return errors.New("sandbox: seconds must be from 0 to 86400")
	}
	if u, err := url.Parse(c.URL); err != nil || c.URL != "" && u.Host == "" {
		return errors.New("sandbox: url must be an address, or empty")
	}
	return nil
}

// Client is the adapter.
type Client struct {
	cfg    Config
	client *http.Client
	own    *Network
}

// New makes the adapter. client may be nil.
func New(cfg Config, client *http.Client) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, client: client}
	if cfg.URL == "" {
		c.own = NewNetwork([]byte(cfg.Secret), Plan{After: time.Duration(cfg.Seconds) * time.Second})
		c.client, c.cfg.URL = &http.Client{Transport: Inside(c.own)}, "http://sandbox.invalid"
	}
	if c.client == nil {
		c.client = &http.Client{}
	}
	return c, nil
}

// Terms says that it does everything, and never forgets a name.
func (c *Client) Terms() rail.Terms {
	return rail.Terms{Units: c.cfg.Units, In: true, Out: true, Refunds: true, Repeat: 30 * 24 * time.Hour}
}

// Submit sends a transfer.
func (c *Client) Submit(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	body, err := json.Marshal(Message{ID: t.ID, Kind: t.Kind.String(), Amount: t.Amount, Unit: t.Unit, Address: t.Address})
	if err != nil {
		return rail.Status{}, fmt.Errorf("sandbox: write transfer: %w", err)
	}
	return c.status(ctx, http.MethodPost, "/transfers", body)
}

// Ask asks about a transfer.
func (c *Client) Ask(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	return c.status(ctx, http.MethodGet, "/transfers/"+t.ID, nil)
}

func (c *Client) status(ctx context.Context, method, path string, body []byte) (rail.Status, error) {
	var m Message
	code, err := c.do(ctx, method, path, body, &m)
	switch {
	case err != nil:
		return rail.Status{}, err
	case code == http.StatusNotFound && method == http.MethodGet:
		return rail.Status{State: rail.Absent}, nil
	case code == http.StatusBadRequest || code == http.StatusConflict:
		return rail.Status{State: rail.Rejected, Why: http.StatusText(code)}, nil
	case code != http.StatusOK:
		return rail.Status{}, fmt.Errorf("sandbox: %d", code)
	}
	state, ok := map[string]rail.State{"accepted": rail.Accepted, "rejected": rail.Rejected, "settled": rail.Settled}[m.State]
	if !ok {
		return rail.Status{}, fmt.Errorf("sandbox: state %.20q", m.State)
	}
	s := rail.Status{State: state, Reference: m.Number, Returned: m.Returned, Cost: m.Cost, At: m.At}
	if state == rail.Settled {
		s.Amount = m.Amount
	}
	if state == rail.Accepted && m.Kind == "in" {
		s.Next = rail.Next{Kind: "wait"}
		switch {
		case m.Go != "":
			s.Next = rail.Next{Kind: "go", Value: m.Go}
		case m.Show != "":
			s.Next = rail.Next{Kind: "show", Value: m.Show}
		}
	}
	return s, nil
}

func (c *Client) do(ctx context.Context, method, path string, body []byte, into any) (code int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.cfg.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("sandbox: %w", err)
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("sandbox: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return answer.StatusCode, nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<20)).Decode(into); err != nil {
		return 0, fmt.Errorf("sandbox: read answer: %w", err)
	}
	return answer.StatusCode, nil
}

// Hear checks a webhook by its HMAC-SHA256 over the event's name and the body.
func (c *Client) Hear(r *http.Request, body []byte) (rail.Heard, error) {
	event := r.Header.Get(eventHeader)
	if c.cfg.Secret == "" || !hmac.Equal([]byte(sign([]byte(c.cfg.Secret), event, body)), []byte(r.Header.Get(signatureHeader))) {
		return rail.Heard{}, rail.ErrForged
	}
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return rail.Heard{}, fmt.Errorf("sandbox: read webhook: %w", err)
	}
	return rail.Heard{Event: event, IDs: []string{m.ID}}, nil
}

// Statement reads the network's list.
func (c *Client) Statement(ctx context.Context, since, until time.Time, each func(rail.Line) error) error {
	var lines []Movement
	query := url.Values{"since": {since.UTC().Format(time.RFC3339Nano)}, "until": {until.UTC().Format(time.RFC3339Nano)}}
	code, err := c.do(ctx, http.MethodGet, "/statement?"+query.Encode(), nil, &lines)
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		return fmt.Errorf("sandbox: statement: %d", code)
	}
	for _, m := range lines {
		if err := each(rail.Line{ID: m.ID, Reference: m.Number, Return: m.Return, Amount: m.Amount, Unit: m.Unit, At: m.At}); err != nil {
			return err
		}
	}
	return nil
}

// Inside is a transport that brings requests to a handler in this process. What the handler aborts, and what ends with its context, was not answered.
func Inside(handler http.Handler) http.RoundTripper { return inside{handler} }

type inside struct{ handler http.Handler }

// RoundTrip lets the handler answer.
func (i inside) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, errors.New("the connection broke")
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := &recorded{header: http.Header{}, code: http.StatusOK}
	i.handler.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.code, Status: http.StatusText(w.code), Header: w.header, Body: io.NopCloser(&w.body), ProtoMajor: 1, ProtoMinor: 1, Request: r}, nil
}

// recorded is an answer in this process.
type recorded struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header is that of the answer.
func (w *recorded) Header() http.Header { return w.header }

// WriteHeader sets the code.
func (w *recorded) WriteHeader(code int) { w.code = code }

// Write adds to the body.
func (w *recorded) Write(p []byte) (int, error) { return w.body.Write(p) }
