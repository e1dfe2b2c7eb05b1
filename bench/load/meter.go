package main

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/client"
)

// meter counts what goes over a connection before encryption. It stays on when the device comes back on another connection.
type meter struct{ sent, received atomic.Int64 }

func (m *meter) total() int64 { return m.sent.Load() + m.received.Load() }

// metered is a device whose bytes are counted. It speaks TLS in the dialer, so that the stream above it is what an eavesdropper without
// TLS would see; channel binding is therefore not used.
func metered(t target, n int, m *meter) client.Config {
	cfg := t.config(n)
	dialer := &tls.Dialer{NetDialer: dialerOf(n), Config: sharedTLS}
	cfg.Method = client.Plain
	cfg.Server = t.tls
	cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &meteredConn{conn, m}, nil
	}
	return cfg
}

type meteredConn struct {
	net.Conn
	m *meter
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.m.received.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.m.sent.Add(int64(n))
	return n, err
}

// quiet waits until nothing was sent or received for a while, and returns what was since the last call.
func (m *meter) quiet(ctx context.Context) (sent, received int64, err error) {
	for before := int64(-1); before != m.total(); {
		before = m.total()
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return 0, 0, err
		}
	}
	return m.sent.Swap(0), m.received.Swap(0), nil
}
