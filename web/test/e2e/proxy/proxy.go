package main

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxHeld is how many pieces of a delayed direction are under way at most; then its reader waits.
const maxHeld = 1024

// proxy passes connections on.
type proxy struct {
	to    atomic.Value // string
	delay atomic.Int64
	down  atomic.Bool
	count atomic.Int64

	mu    sync.Mutex
	open  map[*pair]bool
	gate  chan struct{} // closed while bytes may pass
	holds bool
}

// pair is the two ends of one connection.
type pair struct{ near, far *net.TCPConn }

// piece is what was read at once, and when it may go on.
type piece struct {
	data []byte
	due  time.Time
}

func newProxy(to string) *proxy {
	p := &proxy{open: map[*pair]bool{}, gate: make(chan struct{})}
	p.to.Store(to)
	close(p.gate)
	return p
}

// serve takes connections until the listener ends.
func (p *proxy) serve(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		p.count.Add(1)
		if p.down.Load() {
			_ = near.Close() // refused; nothing was promised on it
			continue
		}
		go p.pass(near.(*net.TCPConn))
	}
}

// pass connects to the other side and copies until one of both ends.
func (p *proxy) pass(near *net.TCPConn) {
	far, err := net.Dial("tcp", p.to.Load().(string))
	if err != nil {
		reset(near)
		return
	}
	one := &pair{near, far.(*net.TCPConn)}
	p.mu.Lock()
	p.open[one] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.copy(one.far, one.near) })
	both.Go(func() { p.copy(one.near, one.far) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, one)
	p.mu.Unlock()
}

// copy passes one direction on, through the gate and after the delay, and ends both ends with it.
func (p *proxy) copy(to, from *net.TCPConn) {
	held := make(chan piece, maxHeld)
	go func() {
		defer close(held)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				held <- piece{buffer[:n], time.Now().Add(time.Duration(p.delay.Load()))}
			}
			if err != nil {
				return
			}
		}
	}()
	broken := false
	for piece := range held {
		if wait := time.Until(piece.due); wait > 0 {
			<-time.After(wait)
		}
		<-p.passing()
		if broken {
			continue // the reader must not wait for us
		}
		if _, err := to.Write(piece.data); err != nil {
			broken = true
			_ = from.Close()
		}
	}
	<-p.passing() // an end is held back as bytes are
	_ = to.Close()
}

// passing is closed as long as bytes may pass.
func (p *proxy) passing() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gate
}

// hold closes the gate or opens it.
func (p *proxy) hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if on == p.holds {
		return
	}
	p.holds = on
	if on {
		p.gate = make(chan struct{})
	} else {
		close(p.gate)
	}
}

// end closes all connections, at once and with what they hold if hard.
func (p *proxy) end(hard bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.open {
		for _, side := range []*net.TCPConn{one.near, one.far} {
			if hard {
				reset(side)
			} else {
				_ = side.Close()
			}
		}
	}
}

// reset ends a connection with RST.
func reset(side *net.TCPConn) {
	_ = side.SetLinger(0)
	_ = side.Close()
}
