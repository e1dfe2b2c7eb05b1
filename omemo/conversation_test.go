package omemo

import (
	"context"
	"testing"
	"time"
)

var versions = []Version{V03, V2}

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newTestDevice(t *testing.T, jid string) *Device {
	t.Helper()
	d, err := Create(context.Background(), NewMemoryStore(), jid, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func begin(t *testing.T, from, to *Device, v Version) {
	t.Helper()
	b, err := to.Bundle(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Begin(t.Context(), to.address(), b); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, from *Device, v Version, text string, to ...Address) *Message {
	t.Helper()
	m, skipped, err := from.Encrypt(t.Context(), v, []byte(text), to)
	if err != nil || len(skipped) > 0 || m == nil {
		t.Fatalf("encrypt %q: %v, skipped %v", text, err, skipped)
	}
	return m
}

func receive(t *testing.T, to *Device, from *Device, m *Message, want string) *Opened {
	t.Helper()
	o, err := to.Decrypt(t.Context(), from.jid, m)
	if err != nil {
		t.Fatalf("decrypt %q: %v", want, err)
	}
	if string(o.Plaintext) != want {
		t.Fatalf("decrypted %q, want %q", o.Plaintext, want)
	}
	return o
}

func TestConversation(t *testing.T) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
			begin(t, romeo, juliet, v)
			first := send(t, romeo, v, "one", juliet.address())
			second := send(t, romeo, v, "two", juliet.address())
			if !first.Keys[0].Exchange || !second.Keys[0].Exchange {
				t.Fatal("key exchange is not repeated until a reply")
			}
			o := receive(t, juliet, romeo, second, "two")
			if !o.OwesReply || !o.BundleChanged || o.Identity != romeo.Identity() || o.Trust != Blind {
				t.Fatalf("first contact gave %+v", o)
			}
			o = receive(t, juliet, romeo, first, "one")
			if !o.OwesReply || o.BundleChanged {
				t.Fatalf("second message of the same exchange gave %+v", o)
			}
			reply := send(t, juliet, v, "three", romeo.address())
			if reply.Keys[0].Exchange {
				t.Fatal("the reply carries a key exchange")
			}
			if o := receive(t, romeo, juliet, reply, "three"); o.OwesReply {
				t.Fatalf("reply owes a reply: %+v", o)
			}
			for range 20 {
				m := send(t, romeo, v, "ping", juliet.address())
				if m.Keys[0].Exchange {
					t.Fatal("still exchanging keys after a reply")
				}
				receive(t, juliet, romeo, m, "ping")
				receive(t, romeo, juliet, send(t, juliet, v, "pong", romeo.address()), "pong")
			}
		})
	}
}
