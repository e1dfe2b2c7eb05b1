package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"palabre.dev/palabre/transport"
)

// maxHostMeta bounds a host-meta document, in bytes.
const maxHostMeta = 64 << 10

// openWebSocket opens a stream over WebSocket (RFC 7395).
func (c *Client) openWebSocket(ctx context.Context) (*transport.Stream, error) {
	address := c.cfg.Server
	if address == "" {
		var err error
		if address, err = c.lookUpWebSocket(ctx); err != nil {
			return nil, err
		}
	}
	if err := checkWebSocket(address); err != nil {
		return nil, err
	}
	return transport.DialWebSocket(ctx, address, c.tlsConfig(), transport.Config{MaxSize: c.cfg.MaxSize})
}

// checkWebSocket allows wss, and ws on the loopback interface for tests.
func checkWebSocket(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("websocket address: %w", err)
	}
	as := *u
	as.Scheme = map[string]string{"wss": "https", "ws": "http"}[u.Scheme]
	if !mayVisit(&as) {
		return fmt.Errorf("websocket at %.200q: %w", address, ErrNoTLS)
	}
	return nil
}

// lookUpWebSocket asks the domain over https where its WebSocket is (XEP-0156 §3).
func (c *Client) lookUpWebSocket(ctx context.Context) (string, error) {
	address := "https://" + c.cfg.JID.Domain() + "/.well-known/host-meta.json"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("host-meta: %w", err)
	}
	response, err := c.httpClient().Do(request)
	if err != nil {
		return "", fmt.Errorf("host-meta: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxHostMeta))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", fmt.Errorf("host-meta: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("host-meta: server says %s", response.Status)
	}
	return webSocketIn(body)
}

// webSocketIn finds the address in a host-meta document.
func webSocketIn(body []byte) (string, error) {
	var meta struct {
		Links []struct{ Rel, Href string }
	}
	if err := json.Unmarshal(body, &meta); err != nil {
		return "", fmt.Errorf("host-meta: %w", err)
	}
	for _, link := range meta.Links {
		if link.Rel == "urn:xmpp:alt-connections:websocket" && checkWebSocket(link.Href) == nil {
			return link.Href, nil
		}
	}
	return "", fmt.Errorf("host-meta names no websocket: %w", ErrUnexpected)
}
