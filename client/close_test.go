package client_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"palabre.dev/palabre/client"
)

// wire calls trip when it is read for the nth time.
type wire struct {
	net.Conn
	left *atomic.Int32
	trip func()
}

func (w wire) Read(b []byte) (int, error) {
	if w.left.Add(-1) == 0 {
		w.trip()
	}
	return w.Conn.Read(b)
}

// Whenever a client is closed, during the login, while it reconnects or in between: Close returns, and so does everybody who waits.
func TestCloseAtAnyMoment(t *testing.T) {
	t.Parallel()
	s := town(t)
	for i, end := range []func(*client.Client){(*client.Client).Close, (*client.Client).Kill} {
		for n := range int32(28) {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				name := fmt.Sprintf("visitor-%d-%d", i, n)
				s.Accounts.Add(name)
				var left atomic.Int32
				left.Store(n + 1)
				closed := make(chan struct{})
				var c *client.Client
				cfg := config(s, name)
				cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, network, address)
					return wire{conn, &left, func() { go func() { end(c); close(closed) }() }}, err
				}
				cfg.AgentID = ""
				var err error
				c, err = client.New(cfg)
				must(t, err)
				if c.Connect(within(t)) == nil {
					// An error only says that the client is closed; what counts is that nothing hangs.
					for within(t).Err() == nil && c.SendAcked(within(t), text(juliet, "still there")) == nil {
						c.Drop()
					}
				}
				select {
				case <-closed:
				case <-within(t).Done():
					t.Fatal("Close did not return")
				}
				<-c.Done()
			})
		}
	}
}
