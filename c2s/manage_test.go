package c2s

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

var quiet = slog.New(slog.DiscardHandler)

type nobody struct{}

func (nobody) Account(context.Context, xmpp.JID) (*core.Account, error) {
	return nil, core.ErrNoAccount
}

func testServer(t *testing.T) *core.Server {
	t.Helper()
	server, err := core.New(core.DefaultConfig(), nil, nobody{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// Counts go on from 0 after 2^32-1 (XEP-0198 §4).
func TestCountsWrap(t *testing.T) {
	server := testServer(t)
	var acked int
	server.OnAcked(func(_ *core.Session, deliveries []core.Delivery) { acked += len(deliveries) })
	s := &session{door: &Door{cfg: DefaultConfig(), server: server}}
	s.managed = managed{on: true, acked: 1<<32 - 2}
	for range 5 {
		s.written = append(s.written, core.Delivery{Stanza: &xmpp.Stanza{Kind: xmpp.Message}, Bytes: []byte("x")})
	}
	for _, c := range []struct {
		h    uint32
		sum  int
		fits bool
	}{{1<<32 - 2, 0, true}, {1<<32 - 1, 1, true}, {1, 3, true}, {1, 3, true}, {4, 3, false}, {0, 3, false}, {3, 5, true}} {
		err := s.acknowledge(strconv.FormatUint(uint64(c.h), 10))
		if (err == nil) != c.fits || acked != c.sum {
			t.Errorf("h=%d: %v, %d acknowledged", c.h, err, acked)
		}
		var told *streamError
		if err != nil && (!errors.As(err, &told) || told.detail == nil) {
			t.Errorf("h=%d: %v", c.h, err)
		}
	}
	s.handled.Store(1<<32 - 1)
	s.countHandled()
	if got := string(s.ack()); got != "<a xmlns='urn:xmpp:sm:3' h='0'/>" {
		t.Errorf("got %s", got)
	}
}

func TestExpiredIsBounded(t *testing.T) {
	var e expired
	for i := range 2*maxExpired + 7 {
		e.add(strconv.Itoa(i), expiredSession{handled: uint32(i)})
	}
	if len(e.counts) != maxExpired || len(e.order) != maxExpired {
		t.Errorf("%d and %d remembered", len(e.counts), len(e.order))
	}
	if _, ok := e.counts[strconv.Itoa(maxExpired+6)]; ok {
		t.Error("an old one is still there")
	}
	if _, ok := e.counts[strconv.Itoa(2*maxExpired+6)]; !ok {
		t.Error("the last one is gone")
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("nothing is wrong with no settings at all")
	}
}

func TestCollectors(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	d := &Door{cfg: DefaultConfig(), server: testServer(t), limits: newLimits(DefaultConfig())}
	for _, c := range d.Collectors() {
		if err := registry.Register(c); err != nil {
			t.Error(err)
		}
	}
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}

// Addresses of one household count as one, and what is remembered is bounded.
func TestFailuresAreBounded(t *testing.T) {
	l := newLimits(DefaultConfig())
	for i := range maxRemembered + 100 {
		l.failed(netipAddr(i))
	}
	if len(l.failures) > maxRemembered {
		t.Errorf("%d addresses remembered", len(l.failures))
	}
}

func netipAddr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// A session that ended before its connection was ready is not given one; one that was woken is not ended by its alarm.
func TestAttachEnded(t *testing.T) {
	server := testServer(t)
	d := &Door{cfg: DefaultConfig(), server: server, resumable: map[string]*session{}}
	s := &session{door: d}
	begun, err := server.Bind(t.Context(), &core.Account{ID: 1, JID: xmpp.MustJID("a@localhost")}, xmpp.MustJID("a@localhost/b"), s)
	if err != nil {
		t.Fatal(err)
	}
	s.core = begun
	first, second := &connection{door: d, writing: true}, &connection{door: d, writing: true}
	s.conn = first
	if err := s.attach(second); err == nil || s.conn != first {
		t.Error("a session has two connections")
	}
	s.depart(true)
	if s.ended {
		t.Error("a session with a connection ended like one without")
	}
	s.conn = nil
	s.depart(true)
	if !s.ended || server.CountSessions() != 0 {
		t.Error("a session without a connection goes on")
	}
	if err := s.attach(second); err == nil {
		t.Error("a session that had ended goes on")
	}
}

func TestCanWait(t *testing.T) {
	for _, c := range []struct {
		stanza string
		waits  bool
	}{
		{"<presence from='a@b/c'/>", true},
		{"<presence from='a@b/c' type='unavailable'/>", true},
		{"<presence from='a@b' type='subscribe'/>", false},
		{"<presence from='a@b/c' type='error'/>", false},
		{"<presence from='r@b/c'><x xmlns='" + nsRoom + "'><item/></x></presence>", true},
		{"<presence from='r@b/c'><x xmlns='" + nsRoom + "'><item/><status code='110'/></x></presence>", false},
		{"<message from='a@b/c'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", true},
		{"<message from='a@b/c'><body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>", false},
		{"<message from='a@b/c'><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>", false},
		{"<message from='a@b/c'/>", false},
		{"<message type='error' from='a@b/c'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", false},
		{"<message from='a@b'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='i'/></items></event></message>", true},
		{"<message from='a@b'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><retract id='i'/></items></event></message>", false},
		{"<message from='a@b'><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='n'/></event></message>", false},
		{"<iq from='a@b' type='result'/>", false},
	} {
		e, err := xmpp.Parse(c.stanza, xmpp.Scope{Default: xmpp.NSClient})
		if err != nil {
			t.Fatal(err)
		}
		st, err := xmpp.NewStanza(e, xmpp.NSClient)
		if err != nil {
			t.Fatal(err)
		}
		if _, waits := canWait(st); waits != c.waits {
			t.Errorf("%s: waits is %v", c.stanza, waits)
		}
	}
}
