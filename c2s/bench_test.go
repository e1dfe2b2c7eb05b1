package c2s

import (
	"io"
	"net"
	"runtime"
	"strconv"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// BenchmarkSend puts messages into the queue of a session, which are written to a connection that takes everything; with stream management
// they are acknowledged in fifties.
func BenchmarkSend(b *testing.B) {
	for _, managed := range []bool{false, true} {
		name := "written"
		if managed {
			name = "acknowledged"
		}
		b.Run(name, func(b *testing.B) {
			cfg := DefaultConfig()
			server, err := core.New(core.DefaultConfig(), nil, nobody{}, quiet)
			if err != nil {
				b.Fatal(err)
			}
			near, far := net.Pipe()
			go io.Copy(io.Discard, far)
			d := &Door{cfg: cfg, server: server, life: b.Context(), log: quiet}
			s := &session{door: d}
			c := &connection{door: d, stream: transport.NewServer(near, transport.Config{MaxSize: 1 << 16, WriteTimeout: cfg.WriteTimeout})}
			s.core, s.managed.on = &core.Session{}, managed
			if err := s.attach(c); err != nil {
				b.Fatal(err)
			}
			one := core.Delivery{Stanza: &xmpp.Stanza{Kind: xmpp.Message}, Bytes: make([]byte, 300)}
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				s.Send(one)
				if i%50 != 0 {
					continue
				}
				for waits := true; waits; runtime.Gosched() { // until all is written
					s.mu.Lock()
					waits = len(s.queue)+len(s.loose) > 0
					s.mu.Unlock()
				}
				if managed {
					if err := s.acknowledge(strconv.Itoa(i)); err != nil {
						b.Fatal(err)
					}
				}
			}
			c.abort()
		})
	}
}
