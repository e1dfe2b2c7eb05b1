package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/transport"
)

// place is one way to reach the server.
type place struct {
	method  Method
	address string // host:port
}

// maxPlaces bounds how many ways found in DNS one attempt tries.
const maxPlaces = 8

// open connects to the server in the first way that works. The stream is before its header.
func (c *Client) openStream(ctx context.Context) (*transport.Stream, Method, error) {
	if c.cfg.Method == WebSocket {
		s, err := c.openWebSocket(ctx)
		return s, WebSocket, err
	}
	places, err := c.places(ctx)
	if err != nil {
		return nil, 0, err
	}
	var failures []error
	for _, p := range places {
		s, err := c.openAt(ctx, p)
		if err == nil {
			return s, p.method, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, 0, errors.Join(failures...)
}

func (c *Client) openAt(ctx context.Context, p place) (*transport.Stream, error) {
	conn, err := c.cfg.Dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.address, err)
	}
	if p.method == Plain && !isLoopback(conn.RemoteAddr()) {
		return nil, errors.Join(fmt.Errorf("connect to %s without encryption: not a loopback address", p.address), conn.Close())
	}
	s := transport.NewClient(conn, transport.Config{MaxSize: c.cfg.MaxSize})
	if p.method != DirectTLS {
		return s, nil
	}
	if err := c.secure(ctx, s); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.address, errors.Join(err, s.Abort()))
	}
	return s, nil
}

// secure does the TLS handshake.
func (c *Client) secure(ctx context.Context, s *transport.Stream) error {
	timeout := c.cfg.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	return s.Secure(c.tlsConfig(), timeout)
}

// tlsConfig is made once, so that TLS sessions can be resumed.
func (c *Client) tlsConfig() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cfg.TLS == nil {
		c.cfg.TLS = transport.ClientTLS(c.cfg.JID.Domain(), c.cfg.Roots)
	}
	return c.cfg.TLS
}

func isLoopback(address net.Addr) bool {
	if address.Network() == "pipe" || address.Network() == "unix" {
		return true
	}
	at, err := netip.ParseAddrPort(address.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// places are the ways to try, best first (RFC 6120 §3.2, XEP-0368 §3).
func (c *Client) places(ctx context.Context) ([]place, error) {
	domain := c.cfg.JID.Domain()
	method := c.cfg.Method
	if c.cfg.Server != "" {
		if method == Auto {
			method = StartTLS
		}
		return []place{{method, withPort(c.cfg.Server, method)}}, nil
	}
	var found []place
	if domain != "localhost" && net.ParseIP(strings.Trim(domain, "[]")) == nil {
		if method == Auto || method == DirectTLS {
			found = append(found, lookUpService(ctx, "xmpps-client", domain, DirectTLS)...)
		}
		if method == Auto || method == StartTLS {
			found = append(found, lookUpService(ctx, "xmpp-client", domain, StartTLS)...)
		}
	}
	if len(found) == 0 {
		if method == Auto {
			method = StartTLS
		}
		found = append(found, place{method, withPort(strings.Trim(domain, "[]"), method)})
	}
	return found[:min(len(found), maxPlaces)], nil
}

// withPort adds the usual port if an address has none.
func withPort(address string, method Method) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	port := 5222
	if method == DirectTLS {
		port = 5223
	}
	return net.JoinHostPort(address, strconv.Itoa(port))
}

// lookUpService asks DNS; what cannot be found is as good as absent.
func lookUpService(ctx context.Context, service, domain string, method Method) []place {
	_, records, err := net.DefaultResolver.LookupSRV(ctx, service, "tcp", domain)
	if err != nil {
		return nil
	}
	var found []place
	for _, record := range records {
		if host := strings.TrimSuffix(record.Target, "."); host != "" {
			found = append(found, place{method, net.JoinHostPort(host, strconv.Itoa(int(record.Port)))})
		}
	}
	return found
}
