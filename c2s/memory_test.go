package c2s_test

import (
	"fmt"
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

// inUse is the memory that the process holds in heap and stacks, once what tests before have left behind is gone.
func inUse() int64 {
	const still = 64 << 10 // bytes that come and go
	last := int64(-1)
	for range 100 {
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now := int64(m.HeapAlloc + m.StackInuse)
		if last >= 0 && max(now-last, last-now) < still {
			return now
		}
		last = now
	}
	return last
}

// idle logs some people in who do nothing more. The clients' ends are in the same process, but hold nothing: each lets go of its TLS after its login.
func idle(t *testing.T, s *palabretest.Server, what string, sessions int) {
	for i := range sessions {
		conn := s.Dial(t)
		p := s.Person(t, "romeo/"+what+fmt.Sprint(i))
		p.Use(conn)
		p.StartTLS()
		p.Login()
		p.Send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
		p.Expect("urn:xmpp:sm:3", "enabled")
		p.Silent()
		p.Detach()
		t.Cleanup(func() {
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestIdleMemory(t *testing.T) {
	const sessions = 150
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.MaxPerAddress = 10000 }),
		palabretest.Core(func(cfg *core.Config) { cfg.MaxSessions = 10000 }))
	s.Login(t, "romeo/warm").Silent()
	idle(t, s, "first", sessions) // what the process makes once and keeps is there after these
	before := inUse()
	idle(t, s, "more", sessions)
	each := (inUse() - before) / sessions
	if n := s.Core.CountSessions(); n != 2*sessions+1 {
		t.Fatalf("%d sessions", n)
	}
	t.Logf("%d bytes for an idle session", each)
	if each > maxIdle || each < maxIdle/100 {
		t.Errorf("an idle session holds %d bytes, not between %d and %d", each, maxIdle/100, maxIdle)
	}
}
