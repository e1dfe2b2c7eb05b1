//go:build interop

package omemo

import (
	"fmt"
	"testing"
	"time"

	"palabre.dev/palabre/omemo"
)

// end is a device of ours.
type end struct {
	*omemo.Device
	jid string
	v   omemo.Version
}

const (
	ours   = "romeo@example.org"
	theirs = "juliet@example.net"
	rounds = 6 // fresh identities per version: half of theirs have the Edwards sign bit set
)

func newEnd(t *testing.T, v omemo.Version) *end {
	t.Helper()
	d, err := omemo.Create(t.Context(), omemo.NewMemoryStore(), ours, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &end{d, ours, v}
}

func (e *end) bundle(t *testing.T) *omemo.Bundle {
	t.Helper()
	b, err := e.Bundle(t.Context(), e.v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (e *end) begin(t *testing.T, with *peer) {
	t.Helper()
	if err := e.Begin(t.Context(), with.address(), with.bundle(t)); err != nil {
		t.Fatal(err)
	}
}

func (e *end) send(t *testing.T, to *peer, text string) *omemo.Message {
	t.Helper()
	m, skipped, err := e.Encrypt(t.Context(), e.v, []byte(text), []omemo.Address{to.address()})
	if err != nil || len(skipped) > 0 {
		t.Fatalf("encrypt: %v, skipped %v", err, skipped)
	}
	return m
}

func (e *end) read(t *testing.T, from *peer, m *omemo.Message, want string) *omemo.Opened {
	t.Helper()
	o, err := e.Decrypt(t.Context(), from.jid, m)
	if err != nil {
		t.Fatalf("decrypt %q: %v", want, err)
	}
	if string(o.Plaintext) != want {
		t.Fatalf("decrypted %q, want %q", o.Plaintext, want)
	}
	return o
}

func (p *peer) read(t *testing.T, from *end, m *omemo.Message, want string) {
	t.Helper()
	if a := p.decrypt(t, from, m); a.Error != "" || string(a.Text) != want {
		t.Fatalf("peer decrypted %q (%s), want %q", a.Text, a.Error, want)
	}
}

// each runs a scenario on both versions with fresh identities.
func each(t *testing.T, scenario func(*testing.T, *end, *peer)) {
	for _, v := range []omemo.Version{omemo.V03, omemo.V2} {
		for n := range rounds {
			t.Run(fmt.Sprintf("%s/%d", v, n), func(t *testing.T) {
				scenario(t, newEnd(t, v), startPeer(t, v, theirs, 4711))
			})
		}
	}
}

// talk exchanges 20 turns, then a shuffled batch each way.
func talk(t *testing.T, us *end, them *peer) {
	t.Helper()
	for n := range 20 {
		ping, pong := fmt.Sprintf("ping %d", n), fmt.Sprintf("pong %d ✓", n)
		them.read(t, us, us.send(t, them, ping), ping)
		us.read(t, them, them.encrypt(t, us, []byte(pong), nil), pong)
	}
	order := []int{4, 2, 0, 3, 1}
	var out, in []*omemo.Message
	for n := range order {
		out = append(out, us.send(t, them, fmt.Sprint("out ", n)))
		in = append(in, them.encrypt(t, us, fmt.Append(nil, "in ", n), nil))
	}
	for _, n := range order {
		them.read(t, us, out[n], fmt.Sprint("out ", n))
		us.read(t, them, in[n], fmt.Sprint("in ", n))
	}
	if a := them.decrypt(t, us, out[0]); a.Error == "" {
		t.Fatal("the peer decrypted a message twice")
	}
}

func TestWeBegin(t *testing.T) {
	each(t, func(t *testing.T, us *end, them *peer) {
		us.begin(t, them)
		first, second := us.send(t, them, "first"), us.send(t, them, "second")
		if !first.Keys[0].Exchange || !second.Keys[0].Exchange {
			t.Fatal("no key exchange before a reply")
		}
		them.read(t, us, second, "second")
		them.read(t, us, first, "first")
		us.read(t, them, them.encrypt(t, us, nil, nil), "")
		if us.send(t, them, "third").Keys[0].Exchange {
			t.Fatal("key exchange after a reply")
		}
		talk(t, us, them)
	})
}

func TestTheyBegin(t *testing.T) {
	each(t, func(t *testing.T, us *end, them *peer) {
		first := them.encrypt(t, us, []byte("first"), us.bundle(t))
		second := them.encrypt(t, us, []byte("second"), nil)
		if !second.Keys[0].Exchange {
			t.Fatal("no key exchange before a reply")
		}
		if o := us.read(t, them, second, "second"); !o.OwesReply || !o.BundleChanged {
			t.Fatalf("key exchange gave %+v", o)
		}
		us.read(t, them, first, "first")
		empty, err := us.EncryptEmpty(t.Context(), us.v, them.address())
		if err != nil {
			t.Fatal(err)
		}
		them.read(t, us, empty, "")
		if them.encrypt(t, us, []byte("third"), nil).Keys[0].Exchange {
			t.Fatal("the peer did not take our empty message as a reply")
		}
		talk(t, us, them)
	})
}

// TestBothBegin: the peer keeps only the newest session per device; we must follow it from either side.
func TestBothBegin(t *testing.T) {
	each(t, func(t *testing.T, us *end, them *peer) {
		us.begin(t, them)
		mine := us.send(t, them, "mine")
		yours := them.encrypt(t, us, []byte("yours"), us.bundle(t))
		them.read(t, us, mine, "mine")
		us.read(t, them, yours, "yours")
		us.read(t, them, them.encrypt(t, us, []byte("reply"), nil), "reply")
		talk(t, us, them)
	})
}

func TestOneSidedChainAsksForHeartbeat(t *testing.T) {
	each(t, func(t *testing.T, us *end, them *peer) {
		us.read(t, them, them.encrypt(t, us, []byte("hello"), us.bundle(t)), "hello")
		them.read(t, us, us.send(t, them, "hello"), "hello")
		for n := range omemo.HeartbeatAfter + 2 {
			o := us.read(t, them, them.encrypt(t, us, []byte("again"), nil), "again")
			if o.OwesReply != (n >= omemo.HeartbeatAfter) {
				t.Fatalf("message %d: owes a reply: %v", n, o.OwesReply)
			}
		}
		talk(t, us, them)
	})
}
