package omemo

import (
	"errors"
	"testing"
)

func TestBlindTrustBeforeVerification(t *testing.T) {
	ctx := t.Context()
	romeo := newTestDevice(t, "romeo@example.org")
	phone, laptop := newTestDevice(t, "juliet@example.org"), newTestDevice(t, "juliet@example.org")
	to := []Address{phone.address(), laptop.address(), romeo.address(), phone.address()}

	begin(t, romeo, phone, V03)
	m, skipped, err := romeo.Encrypt(ctx, V03, []byte("hello"), to)
	if err != nil || len(m.Keys) != 1 || len(skipped) != 1 || !errors.Is(skipped[0].Reason, ErrNoSession) {
		t.Fatalf("keys %v, skipped %v, %v", m, skipped, err)
	}
	missing, err := romeo.Missing(ctx, V03, to)
	if err != nil || len(missing) != 1 || missing[0] != laptop.address() {
		t.Fatalf("missing %v, %v", missing, err)
	}
	if err := romeo.SetTrust(ctx, phone.jid, phone.Identity(), Verified); err != nil {
		t.Fatal(err)
	}
	begin(t, romeo, laptop, V03)
	wantSkipped(t, romeo, to, ErrUndecided)
	for _, decision := range []struct {
		trust Trust
		want  error
	}{{Verified, nil}, {Distrusted, ErrDistrusted}, {Blind, nil}, {Undecided, ErrUndecided}} {
		if err := romeo.SetTrust(ctx, laptop.jid, laptop.Identity(), decision.trust); err != nil {
			t.Fatal(err)
		}
		wantSkipped(t, romeo, to, decision.want)
	}
	if _, err := romeo.EncryptEmpty(ctx, V03, laptop.address()); err != nil {
		t.Fatalf("an empty message is sent regardless of trust: %v", err)
	}
	known, err := romeo.Identities(ctx, phone.jid)
	if err != nil || len(known) != 2 || known[0] != (Known{phone.Identity(), Verified}) {
		t.Fatalf("known %v, %v", known, err)
	}
}

func wantSkipped(t *testing.T, from *Device, to []Address, want error) {
	t.Helper()
	_, skipped, err := from.Encrypt(t.Context(), V03, []byte("hello"), to)
	if err != nil {
		t.Fatal(err)
	}
	if want == nil && len(skipped) > 0 || want != nil && (len(skipped) != 1 || !errors.Is(skipped[0].Reason, want)) {
		t.Fatalf("skipped %v, want %v", skipped, want)
	}
}

func TestNobodyLeft(t *testing.T) {
	romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
	m, skipped, err := romeo.Encrypt(t.Context(), V2, []byte("hello"), []Address{juliet.address()})
	if m != nil || len(skipped) != 1 || err != nil {
		t.Fatalf("message %v, skipped %v, %v", m, skipped, err)
	}
}

func TestManyIdentitiesAreForgottenUnlessDecided(t *testing.T) {
	var l knownList
	decided := Identity{1}
	l.observe(decided)
	l.find(decided).Trust = Distrusted
	for n := range 3 * MaxIdentities {
		l.observe(Identity{2, byte(n), byte(n >> 8)})
	}
	if len(l.known) != MaxIdentities || l.find(decided) == nil || l.observe(decided) != Distrusted {
		t.Fatalf("%d identities remembered; the decided one: %v", len(l.known), l.find(decided))
	}
	again, err := loadKnown(l.save())
	if err != nil || len(again.known) != len(l.known) {
		t.Fatalf("loaded %d identities, %v", len(again.known), err)
	}
}
