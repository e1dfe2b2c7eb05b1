package push

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/transport/outside"
	"palabre.dev/palabre/xmpp"
)

const (
	maxEndpoint = 2048
	webLife     = 28 * 24 * time.Hour // how long a browser's push service keeps a wake-up for a device that is off
)

// keys are the server's own for browsers (RFC 8292 §3.2), base64url.
type keys struct{ public, private string }

func (p *Push) loadKeys(ctx context.Context) error {
	read := func() error {
		return p.db.QueryRow(ctx, "select public, private from push_key where id = 1").Scan(&p.vapid.public, &p.vapid.private)
	}
	err := read()
	if !errors.Is(err, store.ErrNoRows) {
		return err
	}
	private, public, err := webpush.GenerateVAPIDKeys()
	if err != nil {
		return fmt.Errorf("make web push key: %w", err)
	}
	if _, err := p.db.Exec(ctx, "insert into push_key (id, public, private) values (1, $1, $2) on conflict (id) do nothing", public, private); err != nil {
		return fmt.Errorf("keep web push key: %w", err)
	}
	return read() // another node may have been first
}

// webKey tells a browser the key it must subscribe with.
func (p *Push) webKey(_ context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || r.Set {
		return nil, xmpp.NotAllowed
	}
	return xmpp.NewText(NSWeb, "key", p.vapid.public), nil
}

// webKeys are what a browser gives with its endpoint (RFC 8291 §2).
type webKeys struct {
	P256DH string  `json:"p256dh"`
	Auth   string  `json:"auth"`
	Muted  []muted `json:"muted,omitempty"`
}

// subscribe notes where a browser wants its wake-ups sent.
func (p *Push) subscribe(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || !r.Set || r.Via == nil {
		return nil, xmpp.NotAllowed
	}
	endpoint := r.Payload.ChildText(NSWeb, "endpoint")
	if err := p.checkEndpoint(endpoint); err != nil {
		return nil, xmpp.BadRequest.Because("endpoint: %v", err)
	}
	k := webKeys{P256DH: r.Payload.ChildText(NSWeb, "p256dh"), Auth: r.Payload.ChildText(NSWeb, "auth")}
	if !isBase64(k.P256DH, 65) || !isBase64(k.Auth, 16) {
		return nil, xmpp.BadRequest.Because("p256dh must be 65 bytes and auth 16, in base64url")
	}
	var err error
	if k.Muted, err = readMuted(r.Payload); err != nil {
		return nil, err
	}
	options, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	return nil, p.save(ctx, device{account: r.Account.ID, service: endpoint, web: true, options: string(options), resource: r.Via.JID.Resource()})
}

func (p *Push) unsubscribe(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || !r.Set {
		return nil, xmpp.NotAllowed
	}
	return nil, p.forget(ctx, r.Account.ID, r.Payload.ChildText(NSWeb, "endpoint"), "")
}

func (p *Push) checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return err
	case len(endpoint) > maxEndpoint:
		return fmt.Errorf("longer than %d bytes", maxEndpoint)
	case u.Host == "" || u.User != nil || u.Scheme != "https" && !(p.cfg.AllowPrivate && u.Scheme == "http"):
		return errors.New("not an https address")
	}
	return nil
}

func isBase64(text string, sizeBytes int) bool {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(bytes) == sizeBytes
}

// webClient calls push services: no redirects, and no address within the operator's own network.
func webClient(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !allowPrivate {
		dialer.Control = refusePrivate
	}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !outside.Is(at.Addr()) {
		return fmt.Errorf("push endpoint at the private address %s", at.Addr())
	}
	return nil
}

// call tells a browser, by its push service (RFC 8030 §5). A topic makes it replace an earlier one; the record hides how long the notice is.
func (p *Push) call(ctx context.Context, d *device, n notice, topic string) error {
	k, err := d.keysOf()
	if err != nil {
		return errors.Join(jobs.ErrGiveUp, err)
	}
	text, err := json.Marshal(n)
	if err != nil {
		return errors.Join(jobs.ErrGiveUp, err)
	}
	contact := p.cfg.Contact
	if contact == "" {
		contact = "https://" + p.server.Domain().String()
	}
	answer, err := webpush.SendNotificationWithContext(ctx, text, &webpush.Subscription{Endpoint: d.service, Keys: webpush.Keys{P256dh: k.P256DH, Auth: k.Auth}},
		&webpush.Options{HTTPClient: p.http, Subscriber: contact, TTL: int(webLife.Seconds()), Topic: topic, Urgency: webpush.UrgencyHigh, RecordSize: recordSize,
			VAPIDPublicKey: p.vapid.public, VAPIDPrivateKey: p.vapid.private})
	if err != nil {
		return fmt.Errorf("call push service: %w", err)
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	return p.outcome(ctx, d, answer.StatusCode)
}

// outcome reads a push service's answer (RFC 8030 §5, §7.3).
func (p *Push) outcome(ctx context.Context, d *device, status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		return p.forget(ctx, d.account, d.service, d.node)
	case status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("push service answered %d", status)
	}
	return fmt.Errorf("%w: push service answered %d", jobs.ErrGiveUp, status)
}
