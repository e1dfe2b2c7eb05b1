package c2s_test

import (
	"fmt"
	"net"
	"runtime"
	"runtime/debug"
	"testing"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
)

// maxIdle is what an idle session may hold at the server, TLS and the goroutine's stack included, in bytes.
const maxIdle = 25 << 10

// inUse is the memory that the process holds in heap and stacks.
func inUse() uint64 {
	for range 3 {
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// The clients' ends are in the same process, but hold nothing: each lets go of its TLS after its login.
func TestIdleMemory(t *testing.T) {
	const sessions = 150
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.MaxPerAddress = 10000 }),
		palabretest.Core(func(cfg *core.Config) { cfg.MaxSessions = 10000 }))
	s.Login(t, "romeo/warm").Silent()
	ends := make([]net.Conn, 0, sessions)
	before := inUse()
	for i := range sessions {
		conn := s.Dial(t)
		ends = append(ends, conn)
		p := s.Person(t, "romeo/"+fmt.Sprint(i))
		p.Use(conn)
		p.StartTLS()
		p.Login()
		p.Send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
		p.Expect("urn:xmpp:sm:3", "enabled")
		p.Silent()
		p.Detach()
	}
	each := (inUse() - before) / sessions
	if n := s.Core.CountSessions(); n != sessions+1 {
		t.Fatalf("%d sessions", n)
	}
	t.Logf("%d bytes for an idle session", each)
	if each > maxIdle {
		t.Errorf("an idle session holds %d bytes, more than %d", each, maxIdle)
	}
	for _, conn := range ends {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
