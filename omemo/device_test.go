package omemo

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestRestartFromFile reopens both files after every message.
func TestRestartFromFile(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		folder := t.TempDir()
		reopen := func(jid string, old *Device) *Device {
			t.Helper()
			if old != nil {
				if err := old.store.(*FileStore).Close(); err != nil {
					t.Fatal(err)
				}
			}
			store := openTestFile(t, filepath.Join(folder, jid))
			d, err := Open(t.Context(), store, jid)
			if err == nil && d == nil {
				d, err = Create(t.Context(), store, jid, nil, start)
			}
			if err != nil || old != nil && (d.ID() != old.ID() || d.Identity() != old.Identity()) {
				t.Fatalf("opened %+v, %v", d, err)
			}
			return d
		}
		romeo, juliet := reopen("romeo@example.org", nil), reopen("juliet@example.org", nil)
		begin(t, romeo, juliet, v)
		for n := range 8 {
			text := fmt.Sprint("message ", n)
			romeo = reopen(romeo.jid, romeo)
			m := send(t, romeo, v, text, juliet.address())
			juliet = reopen(juliet.jid, juliet)
			receive(t, juliet, romeo, m, text)
			juliet = reopen(juliet.jid, juliet)
			refuse(t, juliet, romeo, m, ErrDuplicate)
			receive(t, romeo, juliet, send(t, juliet, v, text, romeo.address()), text)
		}
	})
}

func TestOneDevicePerStore(t *testing.T) {
	store := NewMemoryStore()
	if d, err := Open(t.Context(), store, "romeo@example.org"); d != nil || err != nil {
		t.Fatalf("an empty store gave %v, %v", d, err)
	}
	if _, err := Create(t.Context(), store, "romeo@example.org", nil, start); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), store, "romeo@example.org", nil, start); !errors.Is(err, ErrState) {
		t.Fatalf("created twice: %v", err)
	}
	if err := store.Save(t.Context(), map[string][]byte{ownerName: {stateFormat + 1, kindOwner}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), store, "romeo@example.org"); !errors.Is(err, ErrState) {
		t.Fatalf("opened a state of the future: %v", err)
	}
}

func TestDeviceID(t *testing.T) {
	taken := []uint32{0x01020304, 5}
	draws := &fixed{0x04, 0x03, 0x02, 0x81, 0, 0, 0, 0x80, 5, 0, 0, 0, 6, 0, 0, 0x80}
	if id, err := drawDevice(taken, draws); err != nil || id != 6 {
		t.Fatalf("drew %d, %v", id, err)
	}
	if following(MaxID) != 1 || following(0) != 1 || following(1) != 2 {
		t.Fatal("ids do not go round from 1")
	}
}

// fixed is randomness with a plan.
type fixed []byte

func (f *fixed) Read(p []byte) (int, error) {
	n := copy(p, *f)
	*f = (*f)[n:]
	return n, nil
}

// TestConcurrentSenders: no two messages may come from one state, whoever sends at once.
func TestConcurrentSenders(t *testing.T) {
	romeo, juliet := couple(t, V03)
	const senders, each = 8, 10
	out := make(chan *Message, senders*each)
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			for range each {
				m, _, err := romeo.Encrypt(t.Context(), V03, fmt.Append(nil, n), []Address{juliet.address()})
				if err != nil {
					t.Error(err)
				}
				out <- m
			}
		})
	}
	wg.Wait()
	close(out)
	for m := range out {
		if _, err := juliet.Decrypt(t.Context(), romeo.jid, m); err != nil {
			t.Fatal(err)
		}
	}
}

func TestForget(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		if err := romeo.Forget(t.Context(), v, juliet.address()); err != nil {
			t.Fatal(err)
		}
		missing, err := romeo.Missing(t.Context(), v, []Address{juliet.address()})
		if err != nil || len(missing) != 1 {
			t.Fatalf("missing %v, %v", missing, err)
		}
		refuse(t, romeo, juliet, send(t, juliet, v, "x", romeo.address()), ErrNoSession)
		known, err := romeo.Identities(t.Context(), juliet.jid)
		if err != nil || len(known) != 1 {
			t.Fatalf("known %v, %v", known, err)
		}
	})
}

// TestInventedDevices: an account may not fill our store with sessions.
func TestInventedDevices(t *testing.T) {
	romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
	bundle, err := juliet.Bundle(t.Context(), V2)
	if err != nil {
		t.Fatal(err)
	}
	bundle.PreKeys = bundle.PreKeys[:1]
	for n := range uint32(MaxIdentities + 10) {
		if err := romeo.Begin(t.Context(), Address{juliet.jid, n + 1}, bundle); err != nil {
			t.Fatal(err)
		}
	}
	values := romeo.store.(*MemoryStore).values
	if len(values) != MaxIdentities+2 { // and the device, and the list
		t.Fatalf("%d values stored", len(values))
	}
	missing, err := romeo.Missing(t.Context(), V2, []Address{{juliet.jid, 10}, {juliet.jid, 11}})
	if err != nil || len(missing) != 1 || missing[0].Device != 10 {
		t.Fatalf("missing %v, %v", missing, err)
	}
}

func TestLabel(t *testing.T) {
	juliet := newTestDevice(t, "juliet@example.org")
	bundle, err := juliet.Bundle(t.Context(), V2)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := juliet.SignLabel("Palabre on the shop's tablet")
	if err != nil {
		t.Fatal(err)
	}
	if err := bundle.CheckLabel("Palabre on the shop's tablet", signature); err != nil {
		t.Fatal(err)
	}
	if err := bundle.CheckLabel("Palabre on a thief's tablet", signature); !errors.Is(err, ErrMalformed) {
		t.Fatalf("another label: %v", err)
	}
}

func TestPadding(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		short, err := Padding(100)
		if err != nil {
			t.Fatal(err)
		}
		long, err := Padding(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if len(short) < 156 || len(short) > 356 || len(long) > 200 || strings.ContainsAny(short+long, "<>&'\"") {
			t.Fatalf("padding of %d and %d: %s %s", len(short), len(long), short, long)
		}
		seen[len(short)] = true
	}
	if len(seen) < 10 {
		t.Fatal("the padding does not vary")
	}
	if _, err := Padding(-1 << 40); err != nil {
		t.Fatal(err)
	}
}

func TestPayloadLimit(t *testing.T) {
	bothVersions(t, func(t *testing.T, v Version) {
		romeo, juliet := couple(t, v)
		text := strings.Repeat("x", MaxPayload-16)
		receive(t, juliet, romeo, send(t, romeo, v, text, juliet.address()), text)
		if _, _, err := romeo.Encrypt(t.Context(), v, []byte(text+"x"), []Address{juliet.address()}); !errors.Is(err, ErrTooLarge) {
			t.Fatalf("too long a text: %v", err)
		}
		m := send(t, romeo, v, "x", juliet.address())
		m.Payload = make([]byte, MaxPayload+1)
		refuse(t, juliet, romeo, m, ErrTooLarge)
		if _, _, err := romeo.Encrypt(t.Context(), v, nil, make([]Address, MaxDevices+1)); !errors.Is(err, ErrTooLarge) {
			t.Fatalf("too many recipients: %v", err)
		}
	})
}
