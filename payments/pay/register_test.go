package pay

import (
	"errors"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// adds adds a key of somebody that was not there.
func (b *bank) adds(name, kind string) (*device, error) {
	b.Helper()
	d := b.stranger(name)
	_, err := b.ask(d.account, true, d.keyElement(kind))
	return d, err
}

// listed are the keys of an account, as its owner is told.
func (b *bank) listed(account xmpp.JID) (ids []string) {
	b.Helper()
	w, err := b.ask(account, false, element("wallet"))
	if err != nil {
		b.Fatal(err)
	}
	for e := range w.Children() {
		if e.Local == "key" {
			ids = append(ids, e.Attr("id"))
		}
	}
	return ids
}

// TestUnusedKeysAreInNobodysWay: whoever is logged in may add keys for payments without network, which pay nothing; they take no place from others, nor from who gets the name next.
func TestUnusedKeysAreInNobodysWay(t *testing.T) {
	two(t, func(b *bank, _, _ *device) {
		b.cfg.Rates = unhurried().Rates
		salma := xmpp.MustJID("salma@example")
		fill := func() (last *device) {
			t.Helper()
			for range maxKeys {
				b.later(time.Second)
				d, err := b.adds("salma", offlineKey)
				if err != nil {
					t.Fatal(err)
				}
				last = d
			}
			return last
		}
		last := fill()
		if ids := b.listed(salma); len(ids) != maxUnused || ids[maxUnused-1] != last.id {
			t.Errorf("%d are kept: %v", len(ids), ids)
		}
		if err := b.Leave(t.Context(), salma); err != nil {
			t.Fatal(err)
		}
		if ids := b.listed(salma); len(ids) != 0 {
			t.Errorf("whoever has the name now has %v", ids)
		}
		fill()
		own := b.newDevice("salma")
		pays := fill()
		if err := own.order(intent.AllowOffline, pays.id+" MAD 500"); err != nil {
			t.Fatal(err)
		}
		b.refused(own.order(intent.AllowOffline, last.id+" MAD 500"), "item-not-found")
		fill()
		if k, err := b.keyOf(t.Context(), salma, pays.id); err != nil || k.cap != 500 { // one that was allowed gives way to none
			t.Errorf("%+v (%v)", k, err)
		}
	})
}

// TestAnAccountHasSoManyKeys, and where none of them can pay, one that can has room.
func TestAnAccountHasSoManyKeys(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		id, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		b.cfg.Rates = unhurried().Rates
		b.later(time.Hour) // what was asked before is worked off
		karim.right()
		allow := func() error {
			d, err := b.adds("karim", offlineKey)
			if err != nil {
				t.Fatal(err)
			}
			return karim.order(intent.AllowOffline, d.id+" MAD 500")
		}
		for range maxKeys - 1 {
			if err := allow(); err != nil {
				t.Fatal(err)
			}
		}
		if err := allow(); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("one more: %v", err)
		}
		if _, err := b.adds("karim", pinKey); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("one more with a PIN: %v", err)
		}
		if err := karim.order(intent.DropKey, karim.id); err != nil {
			t.Fatal(err)
		}
		link := b.newLink(karim.account, linkRequest, id)
		for _, want := range []bool{true, false} { // the first that can pay, and no further one
			if _, err := b.byLink(link, true, b.stranger("karim").keyElement(pinKey)); (err == nil) != want {
				t.Errorf("by a link, by which there are %d at most: %v", maxLinkKeys, err)
			}
		}
	})
}

// TestAnOrderAllowsAKeyOnce: when that key was forgotten, an order of long ago does not bring it back as one of another kind.
func TestAnOrderAllowsAKeyOnce(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.cfg.Rates = unhurried().Rates
		b.later(time.Hour) // what was asked before is worked off
		with := func(key, order *xmpp.Element) *xmpp.Element {
			for c := range order.Children() {
				key.Add(c)
			}
			return key
		}
		for _, first := range []string{"order", "key"} { // by itself, or with the key
			other, err := b.adds("karim", offlineKey)
			if first == "key" {
				other, err = b.stranger("karim"), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			karim.right()
			order := karim.orderElement(first, intent.AddKey, other.id)
			allow := order
			if first == "key" {
				allow = with(other.keyElement(offlineKey), order)
			}
			for range 2 { // who got no answer asks again
				if _, err := b.ask(karim.account, true, allow); err != nil {
					t.Fatalf("%s: %v", first, err)
				}
			}
			for range maxUnused { // now it is forgotten
				b.later(time.Second)
				if _, err := b.adds("karim", offlineKey); err != nil {
					t.Fatal(err)
				}
			}
			b.later(30 * day)
			b.freeze(karim.account) // which changes nothing the second time
			_, err = b.ask(karim.account, true, with(other.keyElement(pinKey), order))
			b.refused(err, "id-taken")
			b.refused(other.unlock(pin), "no-key")
		}
	})
}
