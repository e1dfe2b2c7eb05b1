package c2s

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// listener is one address that clients connect to.
type listener struct {
	net.Listener
	direct bool
}

// listening asks a silent peer's system only rarely whether it is there: each time wakes a phone. The door asks by itself (probe).
var listening = net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Minute, Interval: time.Minute, Count: 4}}

// Listen opens the addresses of the configuration. If one of them cannot be opened, none is.
func (d *Door) Listen() error {
	for i, addresses := range [][]string{d.cfg.Listen, d.cfg.ListenTLS} {
		for _, address := range addresses {
			l, err := listening.Listen(context.Background(), "tcp", address)
			if err != nil {
				d.closeListeners()
				return fmt.Errorf("c2s: %w", err)
			}
			d.listeners = append(d.listeners, listener{l, i == 1})
			d.log.Info("listening", "address", l.Addr().String(), "tls", i == 1)
		}
	}
	return nil
}

// Addrs are the addresses that Listen has opened, in the order of the configuration.
func (d *Door) Addrs() []net.Addr {
	var out []net.Addr
	for _, l := range d.listeners {
		out = append(out, l.Addr())
	}
	return out
}

func (d *Door) closeListeners() {
	for _, l := range d.listeners {
		if err := l.Close(); err != nil {
			d.log.Debug("close listener", "err", err)
		}
	}
}

// Run lets clients in until ctx ends, and then stops in order: nobody else comes in, what sessions have sent is handled and acknowledged,
// and they are told (system-shutdown, RFC 6120 §4.9.3.21). It calls Listen if that was not done.
func (d *Door) Run(ctx context.Context) error {
	if len(d.listeners) == 0 {
		if err := d.Listen(); err != nil {
			return err
		}
	}
	for _, l := range d.listeners {
		d.work.Add(1)
		go d.accept(l)
	}
	<-ctx.Done()
	d.Stop()
	return nil
}

func (d *Door) accept(l listener) {
	defer d.work.Done()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files, most likely: others must close first
			d.log.Warn("accept", "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		d.Serve(conn, l.direct)
	}
}

// Stop ends all sessions in order, and waits for that as long as the configuration says; then it cuts what is left. The door cannot be
// opened again.
func (d *Door) Stop() {
	d.mu.Lock()
	if d.stopping {
		d.mu.Unlock()
		return
	}
	d.stopping = true
	var open []*connection
	for c := range d.connections {
		open = append(open, c)
	}
	var asleep []*session
	for _, s := range d.resumable {
		asleep = append(asleep, s)
	}
	d.mu.Unlock()
	d.closeListeners()
	for _, c := range open {
		c.stop(&streamError{condition: "system-shutdown"})
	}
	for _, s := range asleep {
		s.depart(true)
	}
	d.await(open)
	d.end()
}

// await waits for all work to end, at most for the time of the configuration, and then cuts the connections that are left.
func (d *Door) await(open []*connection) {
	ended := make(chan struct{})
	go func() {
		d.work.Wait()
		close(ended)
	}()
	timer := time.NewTimer(d.cfg.StopTimeout)
	defer timer.Stop()
	select {
	case <-ended:
		return
	case <-timer.C:
	}
	d.log.Warn("sessions did not end in time")
	for _, c := range open {
		c.abort()
	}
	d.end()
	<-ended
}
