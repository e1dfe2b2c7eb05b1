// Package remote asks the HTTP interfaces of networks outside, for the adapters: a request, its answer as JSON, limits on both, and tokens of OAuth 2.0 (RFC 6749
// §4.4). It repeats nothing by itself: whether something may be asked again is for the engine to know. Redirections are not followed.
package remote

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// maxAnswer is how many bytes an answer may have.
const maxAnswer = 16 << 20

// Remote is a network's interface. It is safe for concurrent use.
type Remote struct {
	// Base is its address, without a slash at the end.
	Base string
	// Client asks; its transport has the certificate, if the network wants one.
	Client *http.Client
	// Prepare adds what every request has; nil for nothing.
	Prepare func(ctx context.Context, r *http.Request) error
	// Token is sent with every request; nil for none. One that the network does not take is forgotten.
	Token *Token
}

// Answer is what came back.
type Answer struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Into reads the body as JSON.
func (a Answer) Into(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// Unclear is the error for an answer that says neither yes nor no.
func (a Answer) Unclear() error { return fmt.Errorf("the network answered %d: %.200q", a.Code, a.Body) }

// Do asks. body is JSON-encoded unless it is url.Values or nil. An error means that no answer came.
func (r *Remote) Do(ctx context.Context, method, path string, header http.Header, body any) (Answer, error) {
	var content []byte
	kind := ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		content, kind = []byte(b.Encode()), "application/x-www-form-urlencoded"
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			return Answer{}, fmt.Errorf("write request: %w", err)
		}
		kind = "application/json"
	}
	request, err := http.NewRequestWithContext(ctx, method, r.Base+path, bytes.NewReader(content))
	if err != nil {
		return Answer{}, fmt.Errorf("request %s: %w", path, err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	request.Header.Set("Accept", "application/json")
	if r.Prepare != nil {
		if err := r.Prepare(ctx, request); err != nil {
			return Answer{}, err
		}
	}
	if r.Token != nil {
		if err := r.Token.authorize(ctx, request); err != nil {
			return Answer{}, err
		}
	}
	response, err := r.Client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("ask the network: %w", bare(err))
	}
	defer response.Body.Close()
	answer := Answer{Code: response.StatusCode, Header: response.Header}
	if r.Token != nil && (answer.Code == http.StatusUnauthorized || answer.Code == http.StatusForbidden) {
		r.Token.forget()
	}
	if answer.Body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1)); err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	if len(answer.Body) > maxAnswer {
		return Answer{}, errors.New("the network's answer is too large")
	}
	return answer, nil
}

// bare is an error without the address that was asked: that may hold a telephone number.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// Client makes an HTTP client with a certificate of ours (PEM files; empty for none) and the authorities that the network's is checked against (empty: the system's).
func Client(certificate, key, authorities string) (*http.Client, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("certificate for the network: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if authorities != "" {
		pool, err := Pool(authorities)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	transport := &http.Transport{TLSClientConfig: cfg, MaxIdleConnsPerHost: 8, MaxConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, Proxy: http.ProxyFromEnvironment}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// Pool reads authorities from a PEM file.
func Pool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("authorities: %s holds no certificate", file)
	}
	return pool, nil
}

// Secret reads what a file holds, without white space around it; empty for no file.
func Secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Secrets reads what files hold, in their order.
func Secrets(files ...string) (all []string, err error) {
	for _, file := range files {
		secret, err := Secret(file)
		if err != nil {
			return nil, err
		}
		all = append(all, secret)
	}
	return all, nil
}

// Token gets and keeps a token of OAuth 2.0 for a client's own account (RFC 6749 §4.4). It is safe for concurrent use.
type Token struct {
	// URL is where tokens are given; ID and Secret are the client's, Scope what is asked for.
	URL, ID, Secret, Scope string
	Client                 *http.Client

	mu    sync.Mutex // guards the following
	token string
	until time.Time
}

// authorize adds the token to a request; a new one is fetched a minute before the old one ends.
func (t *Token) authorize(ctx context.Context, r *http.Request) error {
	t.mu.Lock()
	token, until := t.token, t.until
	t.mu.Unlock()
	if time.Until(until) < time.Minute {
		var err error
		if token, until, err = t.fetch(ctx); err != nil {
			return err
		}
		t.mu.Lock()
		t.token, t.until = token, until
		t.mu.Unlock()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// forget lets the next request fetch a new token.
func (t *Token) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = time.Time{}
}

func (t *Token) fetch(ctx context.Context) (string, time.Time, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if t.Scope != "" {
		form.Set("scope", t.Scope)
	}
	from := &Remote{Base: t.URL, Client: t.Client, Prepare: func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(url.QueryEscape(t.ID), url.QueryEscape(t.Secret))
		return nil
	}}
	answer, err := from.Do(ctx, http.MethodPost, "", nil, form)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("fetch token: %w", err)
	}
	var given struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	if answer.Code != http.StatusOK || answer.Into(&given) != nil || given.Token == "" {
		return "", time.Time{}, fmt.Errorf("fetch token: the network answered %d", answer.Code)
	}
	if given.Expires <= 0 || given.Expires > 86400 {
		given.Expires = 300
	}
	return given.Token, time.Now().Add(time.Duration(given.Expires) * time.Second), nil
}

// Mark is a text that only who knows the secret can make of another: the part of a webhook's address that shows that the network had it from us. 32 hexadecimal digits.
func Mark(secret, of string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(of))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Marked says whether a mark is the right one.
func Marked(secret, of, mark string) bool {
	return secret != "" && hmac.Equal([]byte(Mark(secret, of)), []byte(mark))
}

// Name is our id as a name of 32 hexadecimal digits, for networks that take no other characters: the same for the same id, always.
func Name(id string) string {
	sum := sha256.Sum256([]byte("palabre rail " + id))
	return hex.EncodeToString(sum[:16])
}

// UUID is our id as a UUID (RFC 9562 §5.8), the same for the same id, always.
func UUID(id string) string {
	sum := sha256.Sum256([]byte("palabre rail " + id))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0F|0x80, b[8]&0x3F|0x80
	text := hex.EncodeToString(b)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
