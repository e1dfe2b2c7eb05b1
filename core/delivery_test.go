package core_test

import (
	"context"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
)

// TestLostCopies has a message that nothing keeps go to two devices: its sender is told that it was lost only when both have lost it, and
// not if one has acknowledged it.
func TestLostCopies(t *testing.T) {
	for name, c := range map[string]struct {
		stanza string
		acked  bool // by the second device
		lost   int  // how many devices lose it
		told   bool
	}{
		"one of two":   {"<message type='chat' to='juliet@localhost' id='m'><body>x</body></message>", false, 1, false},
		"both":         {"<message type='chat' to='juliet@localhost' id='m'><body>x</body></message>", false, 2, true},
		"other has it": {"<message type='chat' to='juliet@localhost' id='m'><body>x</body></message>", true, 1, false},
		"full address": {"<message type='chat' to='juliet@localhost/a' id='m'><body>x</body></message>", false, 1, true},
		"headline":     {"<message type='headline' to='juliet@localhost/a' id='m'><body>x</body></message>", false, 1, false},
		"no text":      {"<message type='chat' to='juliet@localhost/a' id='m'><x xmlns='y'/></message>", false, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := coretest.New(t, storetest.Open(t, storetest.SQLite))
			romeo := w.Bind("romeo", "a")
			devices := []*coretest.Device{w.Bind("juliet", "a"), w.Bind("juliet", "b")}
			for _, d := range devices {
				d.SetPresence(w.Parse("<presence/>"), 0)
			}
			romeo.Say(c.stanza)
			if c.acked {
				w.Acked(devices[1].Session, devices[1].Got())
			}
			for _, d := range devices[:c.lost] {
				w.Lost(t.Context(), d.Session, d.Got())
				d.Leave()
			}
			if c.told {
				romeo.Hears("type='error'", "id='m'", "service-unavailable")
			}
			romeo.Silent("type='error'")
		})
	}
}

// TestPanicAtBinding has a feature fail when a session begins: the session is not left behind without anybody who could end it.
func TestPanicAtBinding(t *testing.T) {
	w := coretest.New(t, storetest.Open(t, storetest.SQLite), clumsy{})
	func() {
		defer func() { _ = recover() }()
		w.Bind("romeo", "a")
	}()
	if n := w.CountSessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

type clumsy struct{}

func (clumsy) Attach(s *core.Server) {
	s.OnBind(func(context.Context, *core.Session) { panic("on purpose") })
}
