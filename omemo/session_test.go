package omemo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// couple is two devices that have exchanged keys.
func couple(t *testing.T, v Version) (romeo, juliet *Device) {
	t.Helper()
	romeo, juliet = newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
	begin(t, romeo, juliet, v)
	receive(t, juliet, romeo, send(t, romeo, v, "hello", juliet.address()), "hello")
	receive(t, romeo, juliet, send(t, juliet, v, "hello", romeo.address()), "hello")
	return romeo, juliet
}

func bothVersions(t *testing.T, test func(*testing.T, Version)) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			test(t, v)
		})
	}
}

func refuse(t *testing.T, to, from *Device, m *Message, want error) {
	t.Helper()
	if o, err := to.Decrypt(t.Context(), from.jid, m); !errors.Is(err, want) {
		t.Fatalf("got %+v, %v; want %v", o, err, want)
	}
}

func TestDuplicates(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		first := send(t, romeo, v, "first", juliet.address())
		second := send(t, romeo, v, "second", juliet.address())
		receive(t, juliet, romeo, second, "second")
		receive(t, juliet, romeo, first, "first")
		for range 10 { // ten turns later they are still known
			refuse(t, juliet, romeo, first, ErrDuplicate)
			refuse(t, juliet, romeo, second, ErrDuplicate)
			receive(t, romeo, juliet, send(t, juliet, v, "a", romeo.address()), "a")
			receive(t, juliet, romeo, send(t, romeo, v, "b", juliet.address()), "b")
		}
	})
}

func TestLateMessagesOfEarlierTurns(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		var late []*Message
		for n := range 12 {
			late = append(late, send(t, romeo, v, fmt.Sprint("late ", n), juliet.address()))
			receive(t, juliet, romeo, send(t, romeo, v, "now", juliet.address()), "now")
			receive(t, romeo, juliet, send(t, juliet, v, "yes", romeo.address()), "yes")
		}
		for n, m := range slices.Backward(late) {
			receive(t, juliet, romeo, m, fmt.Sprint("late ", n))
		}
	})
}

// TestVeryLateMessages: OMEMO 2 says how long a chain was, so the keys of its missing messages are kept and the chain's own is wiped,
// however many turns ago.
func TestVeryLateMessages(t *testing.T) {
	romeo, juliet := couple(t, V2)
	receive(t, juliet, romeo, send(t, romeo, V2, "now", juliet.address()), "now")
	late := send(t, romeo, V2, "late", juliet.address())
	for range 2 * maxChains {
		receive(t, romeo, juliet, send(t, juliet, V2, "turn", romeo.address()), "turn")
		receive(t, juliet, romeo, send(t, romeo, V2, "now", juliet.address()), "now")
	}
	chains := stored(t, juliet, romeo, V2).current().receive
	for _, c := range chains[:len(chains)-1] {
		if !c.closed || c.chain != (key{}) {
			t.Fatalf("the key of a finished chain is still there: %+v", c)
		}
	}
	receive(t, juliet, romeo, late, "late")
}

// TestHeartbeat: a chain of 53 asks for an answer until there is one, and not after.
func TestHeartbeat(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		for n := range HeartbeatAfter + 3 {
			o := receive(t, juliet, romeo, send(t, romeo, v, "again", juliet.address()), "again")
			if o.OwesReply != (n >= HeartbeatAfter) {
				t.Fatalf("message %d: owes a reply: %v", n, o.OwesReply)
			}
		}
		beat, err := juliet.EncryptEmpty(t.Context(), v, romeo.address())
		if err != nil {
			t.Fatal(err)
		}
		if o := receive(t, juliet, romeo, send(t, romeo, v, "crossing", juliet.address()), "crossing"); o.OwesReply {
			t.Fatal("owes a second reply")
		}
		receive(t, romeo, juliet, beat, "")
		m := send(t, romeo, v, "turned", juliet.address())
		if o := receive(t, juliet, romeo, m, "turned"); o.OwesReply {
			t.Fatal("owes a reply after a turn")
		}
	})
}

func TestSkipLimit(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		var sent []*Message
		for n := range MaxSkip + 2 {
			sent = append(sent, send(t, romeo, v, fmt.Sprint(n), juliet.address()))
		}
		refuse(t, juliet, romeo, sent[MaxSkip+1], ErrTooFar)
		receive(t, juliet, romeo, sent[MaxSkip], fmt.Sprint(MaxSkip))
		receive(t, juliet, romeo, sent[0], "0")
		receive(t, juliet, romeo, sent[MaxSkip+1], fmt.Sprint(MaxSkip+1))
		for n := range MaxSkip + 2 { // the same on a chain that is known
			sent[n] = send(t, romeo, v, fmt.Sprint("more ", n), juliet.address())
		}
		refuse(t, juliet, romeo, sent[MaxSkip+1], ErrTooFar)
		receive(t, juliet, romeo, sent[MaxSkip], fmt.Sprint("more ", MaxSkip))
		// The limit holds for the session too: a second gap pushes the oldest keys out.
		receive(t, romeo, juliet, send(t, juliet, v, "turn", romeo.address()), "turn")
		lost := send(t, romeo, v, "kept", juliet.address())
		receive(t, juliet, romeo, send(t, romeo, v, "x", juliet.address()), "x")
		receive(t, juliet, romeo, sent[2], "more 2")
		receive(t, juliet, romeo, lost, "kept")
		s := stored(t, juliet, romeo, v)
		if n := len(s.current().skipped); n > MaxSkip {
			t.Fatalf("%d keys kept", n)
		}
	})
}

// TestLongLossDoesNotEndTheConversation: more than MaxSkip messages of a finished chain never arrive.
func TestLongLossDoesNotEndTheConversation(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		receive(t, juliet, romeo, send(t, romeo, v, "hello?", juliet.address()), "hello?")
		for range 2 * MaxSkip {
			send(t, romeo, v, "lost", juliet.address())
		}
		receive(t, romeo, juliet, send(t, juliet, v, "still there?", romeo.address()), "still there?")
		receive(t, juliet, romeo, send(t, romeo, v, "yes", juliet.address()), "yes")
		receive(t, romeo, juliet, send(t, juliet, v, "good", romeo.address()), "good")
	})
}

func stored(t *testing.T, of, with *Device, v Version) *session {
	t.Helper()
	s, err := of.loadSession(t.Context(), v, with.address())
	if err != nil || s == nil {
		t.Fatalf("session %v, %v", s, err)
	}
	return s
}

const realText = "the real one, of more than one block"

// TestTamperingChangesNothing flips every bit of a message in turn; the stored state stays as it was, and the real message opens after all.
func TestTamperingChangesNothing(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		for _, exchange := range []bool{true, false} {
			romeo, juliet := couple(t, v)
			if exchange {
				begin(t, romeo, juliet, v)
			}
			m := send(t, romeo, v, realText, juliet.address())
			before := juliet.store.(*MemoryStore).Clone().values
			for _, part := range []*[]byte{&m.Keys[0].Data, &m.Payload} {
				whole := *part
				for at := range whole {
					*part = bytes.Clone(whole)
					(*part)[at] ^= 1 << (at % 8)
					if exchange && v == V03 && isRegistration(whole, at) {
						continue // the registration id is informational, and under no MAC
					}
					if o, err := juliet.Decrypt(t.Context(), romeo.jid, m); err == nil {
						t.Fatalf("byte %d of %d: opened %q", at, len(whole), o.Plaintext)
					}
				}
				*part = whole
			}
			for name, value := range juliet.store.(*MemoryStore).values {
				if !bytes.Equal(value, before[name]) {
					t.Fatalf("%s has changed", name)
				}
			}
			receive(t, juliet, romeo, m, realText)
		}
	})
}

// isRegistration reports whether a byte of a key exchange of 0.3 is part of the registration id, its first field.
func isRegistration(data []byte, at int) bool {
	_, rest, err := nextField(data[1:])
	return err == nil && at > 0 && at < len(data)-len(rest)
}

func TestWhichKeyIsOurs(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		m := send(t, romeo, v, "hello", juliet.address())
		good := m.Keys[0]
		other := Key{JID: "mercutio@example.org", RID: good.RID, Data: bytes.Repeat([]byte{0x33}, 90)}
		elsewhere := Key{JID: juliet.jid, RID: good.RID ^ 1, Data: good.Data}
		m.Keys = []Key{elsewhere}
		refuse(t, juliet, romeo, m, ErrNotForUs)
		m.Keys = nil
		refuse(t, juliet, romeo, m, ErrNotForUs)
		if v == V2 { // which says whose device is meant
			m.Keys = []Key{{JID: romeo.jid, RID: good.RID, Data: good.Data}}
			refuse(t, juliet, romeo, m, ErrNotForUs)
		}
		m.Keys = []Key{other, elsewhere, good, good} // the same id at another address, and ours twice
		receive(t, juliet, romeo, m, "hello")
		refuse(t, juliet, romeo, m, ErrDuplicate)
		m = send(t, romeo, v, "many", juliet.address())
		spoilt := m.Keys[0]
		spoilt.Data = append(bytes.Clone(spoilt.Data[:len(spoilt.Data)-1]), spoilt.Data[len(spoilt.Data)-1]^1)
		m.Keys = append(slices.Repeat([]Key{spoilt}, maxTries), m.Keys[0])
		refuse(t, juliet, romeo, m, ErrDecrypt)
	})
}

func TestNoSession(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		m := send(t, romeo, v, "hello", juliet.address())
		m.SID ^= 1
		refuse(t, juliet, romeo, m, ErrNoSession)
		m.SID = 0
		refuse(t, juliet, romeo, m, ErrMalformed)
		own, err := romeo.Bundle(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if err := romeo.Begin(t.Context(), romeo.address(), own); !errors.Is(err, ErrMalformed) {
			t.Fatalf("began with our own device: %v", err)
		}
		if _, err := juliet.EncryptEmpty(t.Context(), v, Address{"nobody@example.org", 1}); !errors.Is(err, ErrNoSession) {
			t.Fatal(err)
		}
	})
}

func TestBothBeginAtOnce(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
		begin(t, romeo, juliet, v)
		begin(t, juliet, romeo, v)
		a, b := send(t, romeo, v, "a", juliet.address()), send(t, juliet, v, "b", romeo.address())
		receive(t, juliet, romeo, a, "a")
		receive(t, romeo, juliet, b, "b")
		for n := range 5 { // still crossing each other
			a, b := send(t, romeo, v, "a", juliet.address()), send(t, juliet, v, "b", romeo.address())
			receive(t, juliet, romeo, a, "a")
			receive(t, romeo, juliet, b, "b")
			if n > 0 && (a.Keys[0].Exchange || b.Keys[0].Exchange) {
				t.Fatal("keys are exchanged without end")
			}
		}
	})
}

func TestArchivedStatesAreLimited(t *testing.T) {
	romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
	var first []*Message
	for range MaxArchived + 3 {
		begin(t, romeo, juliet, V2)
		m := send(t, romeo, V2, "again", juliet.address())
		late := send(t, romeo, V2, "late", juliet.address())
		receive(t, juliet, romeo, m, "again")
		first = append(first, late)
	}
	if n := len(stored(t, juliet, romeo, V2).states); n != 1+MaxArchived {
		t.Fatalf("%d states kept", n)
	}
	receive(t, juliet, romeo, first[len(first)-MaxArchived], "late")
	// What was made with a state that is gone is read from its exchange, as long as the prekey of it is held.
	receive(t, juliet, romeo, first[0], "late")
	if n := len(stored(t, juliet, romeo, V2).states); n != 1+MaxArchived {
		t.Fatalf("%d states kept", n)
	}
}

func TestPreKeyIsUsedOnce(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		juliet := newTestDevice(t, "juliet@example.org")
		romeo, mercutio := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "mercutio@example.org")
		one, err := juliet.Bundle(ctx, v)
		if err != nil {
			t.Fatal(err)
		}
		one.PreKeys = one.PreKeys[:1]
		contact := func(d *Device) *Message {
			if err := d.Begin(ctx, juliet.address(), one); err != nil {
				t.Fatal(err)
			}
			return send(t, d, v, "hello", juliet.address())
		}
		if o := receive(t, juliet, romeo, contact(romeo), "hello"); !o.BundleChanged {
			t.Fatal("bundle did not change")
		}
		now, err := juliet.Bundle(ctx, v)
		if err != nil || len(now.PreKeys) != 100 {
			t.Fatalf("%d prekeys, %v", len(now.PreKeys), err)
		}
		for _, k := range now.PreKeys {
			if k.ID == one.PreKeys[0].ID || k.ID == 0 {
				t.Fatalf("prekey %d is published", k.ID)
			}
		}
		receive(t, romeo, juliet, send(t, juliet, v, "hi", romeo.address()), "hi")
		// Who took the same out of the bundle before is read as well, until the signed prekey beside it is forgotten.
		second, late := contact(mercutio), contact(mercutio)
		for week := 1; week <= 2; week++ {
			if week == 2 {
				receive(t, juliet, mercutio, second, "hello")
			}
			if changed, err := juliet.Maintain(ctx, start.Add(time.Duration(week)*rotateAfter)); err != nil || !changed {
				t.Fatal(changed, err)
			}
		}
		refuse(t, juliet, mercutio, late, ErrNoPreKey)
	})
}

func TestSignedPreKeyRotates(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
		old, err := juliet.Bundle(ctx, v)
		if err != nil {
			t.Fatal(err)
		}
		unused := old.PreKeys
		hello := func(want error) {
			t.Helper()
			old.PreKeys, unused = unused[:1], unused[1:]
			if err := romeo.Begin(ctx, juliet.address(), old); err != nil {
				t.Fatal(err)
			}
			_, err := juliet.Decrypt(ctx, romeo.jid, send(t, romeo, v, "hello", juliet.address()))
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
		}
		for _, step := range []struct {
			after   time.Duration
			changed bool
			want    error
		}{
			{6 * 24 * time.Hour, false, nil},
			{8 * 24 * time.Hour, true, nil},
			{14 * 24 * time.Hour, false, nil},
			{16 * 24 * time.Hour, true, ErrNoPreKey},
		} {
			changed, err := juliet.Maintain(ctx, start.Add(step.after))
			if err != nil || changed != step.changed {
				t.Fatalf("after %v: changed %v, %v", step.after, changed, err)
			}
			hello(step.want)
		}
		if changed, err := juliet.Maintain(ctx, start); err != nil || !changed {
			t.Fatalf("after the clock was set back: changed %v, %v", changed, err)
		}
	})
}

func TestOlderPayloads(t *testing.T) {
	juliet, romeo := newTestDevice(t, "juliet@example.org"), newTestDevice(t, "romeo@example.org")
	begin(t, romeo, juliet, V03)
	secret, iv := bytes.Repeat([]byte{7}, 16), bytes.Repeat([]byte{8}, 16)
	aead, err := newGCM(secret, len(iv))
	if err != nil {
		t.Fatal(err)
	}
	old := aead.Seal(nil, iv, []byte("from 2016"), nil)
	m := rawMessage(t, romeo, juliet, secret, iv, old)
	receive(t, juliet, romeo, m, "from 2016")
	if o := receive(t, juliet, romeo, rawMessage(t, romeo, juliet, secret, iv, nil), ""); !o.Empty {
		t.Fatal("a bare key is not an empty message")
	}
	for _, bad := range [][]byte{nil, secret[:15], append(bytes.Clone(secret), 1), bytes.Repeat([]byte{1}, 33)} {
		refuse(t, juliet, romeo, rawMessage(t, romeo, juliet, bad, iv, old), ErrMalformed)
	}
	refuse(t, juliet, romeo, rawMessage(t, romeo, juliet, secret, nil, old), ErrMalformed)
}

// rawMessage is what an app with other ideas about payloads sends.
func rawMessage(t *testing.T, from, to *Device, keyPart, iv, payload []byte) *Message {
	t.Helper()
	m, _, err := from.encryptFor(t.Context(), &profile03, sealed{keyPart, iv, payload}, []Address{to.address()}, false)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
