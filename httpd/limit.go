package httpd

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// limit lets a listener hold only so many connections at once; further ones wait in the system's own queue. share says how many of them
// whoever connects from an address may have, and what counts as one address; 0 for any number, and a nil share for everybody.
func limit(listener net.Listener, most int, share func(net.Addr) (netip.Prefix, int)) net.Listener {
	return &limited{Listener: listener, share: share, slots: make(chan struct{}, most), closed: make(chan struct{}), held: map[netip.Prefix]int{}}
}

type limited struct {
	net.Listener
	share  func(net.Addr) (netip.Prefix, int)
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex // guards what follows
	held map[netip.Prefix]int
}

// Accept closes at once what comes from an address that has its share.
func (l *limited) Accept() (net.Conn, error) {
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
		conn, err := l.Listener.Accept()
		if err != nil {
			<-l.slots
			return nil, err
		}
		if one, ok := l.enter(conn); ok {
			return one, nil
		}
		<-l.slots
		conn.Close() // nothing was written that could be lost
	}
}

func (l *limited) enter(conn net.Conn) (*slotted, bool) {
	one := &slotted{Conn: conn, from: l}
	if l.share == nil {
		return one, true
	}
	most := 0
	if one.place, most = l.share(conn.RemoteAddr()); most == 0 {
		return one, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[one.place] >= most {
		return nil, false
	}
	l.held[one.place]++
	one.counted = true
	return one, true
}

// leave gives a slot back, and a place in the share of an address.
func (l *limited) leave(one *slotted) {
	<-l.slots
	if !one.counted {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[one.place]--; l.held[one.place] <= 0 {
		delete(l.held, one.place)
	}
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// slotted gives its slot back when it is closed for the first time.
type slotted struct {
	net.Conn
	from    *limited
	place   netip.Prefix
	counted bool
	closed  atomic.Bool
}

func (c *slotted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.from.leave(c)
	}
	return c.Conn.Close()
}

// share is how many connections an address may have: any number for a trusted proxy, behind which many people are.
func (d *Door) share(from net.Addr) (netip.Prefix, int) {
	at, err := netip.ParseAddrPort(from.String())
	if err != nil || d.trusted(at.Addr().String()) {
		return netip.Prefix{}, 0
	}
	address, bits := at.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked(), d.cfg.MaxPerAddress
}
