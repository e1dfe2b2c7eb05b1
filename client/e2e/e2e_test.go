package e2e_test

import (
	"strconv"
	"testing"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

func TestBothVersionsBothWays(t *testing.T) {
	t.Parallel()
	s := town(t)
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	juliet := start(t, s, "juliet", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	defer juliet.stop()
	if v := romeo.says(t, juliet, "by yonder blessed moon"); v != omemo.V2 {
		t.Errorf("OMEMO %s between two devices that have both", v)
	}
	juliet.hears(t, "romeo: by yonder blessed moon")
	juliet.says(t, romeo, "swear not by the moon")
	romeo.hears(t, "juliet: swear not by the moon")

	// A device that has 0.3 alone joins; it has published no keys, so it is left out, but 0.3 it is.
	list := xmpp.NewElement(omemo.V03.Namespace(), "list")
	for _, id := range []string{"4711", "0", "-1", "4294967296", idOf(juliet)} {
		list.Add(xmpp.NewElement(omemo.V03.Namespace(), "device").Set("id", id))
	}
	must(t, juliet.Publish(within(t), client.Publication{Node: "eu.siacs.conversations.axolotl.devicelist", Item: client.Item{ID: "current", Payload: list}}))
	mercutio := start(t, s, "mercutio", omemo.NewMemoryStore(), client.Mark{})
	defer mercutio.stop()
	st, skipped, err := mercutio.end.Encrypt(within(t), juliet.Account(), "a plague")
	must(t, err)
	if len(skipped) != 1 || skipped[0].Address.Device != 4711 || st.Child(omemo.V03.Namespace(), "encrypted") == nil {
		t.Errorf("skipped %v in %s", skipped, st)
	}
	must(t, mercutio.SendAcked(within(t), st))
	juliet.hears(t, "mercutio: a plague")
	juliet.says(t, mercutio, "hush")
	mercutio.hears(t, "juliet: hush")
}

// A sender says a text in each version for those devices alone that need it: we take the one that has a key for us, whichever comes first.
func TestTwoVersionsInOneMessage(t *testing.T) {
	t.Parallel()
	s := town(t)
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	juliet := start(t, s, "juliet", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	defer juliet.stop()
	st, _, err := romeo.end.Encrypt(within(t), juliet.Account(), "for the newer")
	must(t, err)
	ns := omemo.V03.Namespace()
	header := xmpp.NewElement(ns, "header", xmpp.NewText(ns, "key", "AAAA").Set("rid", "4711"), xmpp.NewText(ns, "iv", "AAAAAAAAAAAAAAAA")).Set("sid", idOf(romeo))
	older := xmpp.NewElement(ns, "encrypted", header, xmpp.NewText(ns, "payload", "AAAA"))
	must(t, romeo.SendAcked(within(t), st.Add(older)))
	juliet.hears(t, "romeo: for the newer")
}

func idOf(p *person) string { return strconv.FormatUint(uint64(p.end.ID()), 10) }

func TestEveryDeviceReads(t *testing.T) {
	t.Parallel()
	s := town(t)
	phone := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	laptop := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	juliet := start(t, s, "juliet", omemo.NewMemoryStore(), client.Mark{})
	defer phone.stop()
	defer laptop.stop()
	defer juliet.stop()
	juliet.says(t, phone, "art thou gone so")
	phone.hears(t, "juliet: art thou gone so")
	laptop.hears(t, "juliet: art thou gone so")
	phone.says(t, juliet, "farewell")
	juliet.hears(t, "romeo: farewell")
	laptop.hears(t, "romeo: farewell")
}

func TestAbsenceLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := town(t)
	store := omemo.NewMemoryStore()
	juliet := start(t, s, "juliet", store, client.Mark{})
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	romeo.says(t, juliet, "one")
	juliet.hears(t, "romeo: one")
	juliet.stop()
	romeo.says(t, juliet, "two")
	romeo.says(t, juliet, "three")
	juliet = start(t, s, "juliet", store, juliet.mark)
	juliet.hears(t, "romeo: two")
	juliet.hears(t, "romeo: three")
	romeo.says(t, juliet, "four")
	juliet.hears(t, "romeo: four")
	juliet.Drop()
	romeo.says(t, juliet, "five")
	juliet.hears(t, "romeo: five")
	juliet.stop()
	juliet = start(t, s, "juliet", store, juliet.mark)
	romeo.says(t, juliet, "six")
	juliet.hears(t, "romeo: six")
	juliet.stop()
	if len(juliet.heard) > 0 || len(juliet.fault) > 0 {
		t.Errorf("%d messages and %d faults too many", len(juliet.heard), len(juliet.fault))
	}
}

// A program that dies between the decryption and its own note of the text gets the text again.
func TestPlaintextSurvivesACrash(t *testing.T) {
	t.Parallel()
	s := town(t)
	store := omemo.NewMemoryStore()
	juliet := start(t, s, "juliet", store, client.Mark{})
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	before := juliet.mark
	romeo.says(t, juliet, "once")
	juliet.hears(t, "romeo: once")
	juliet.stop()
	juliet = start(t, s, "juliet", store, before)
	juliet.hears(t, "romeo: once")
	juliet.stop()
}

// A device that was put back to an old state cannot read what comes; it begins a new session by itself.
func TestBrokenSessionIsMended(t *testing.T) {
	t.Parallel()
	s := town(t)
	store := omemo.NewMemoryStore()
	juliet := start(t, s, "juliet", store, client.Mark{})
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	backup := store.Clone()
	romeo.says(t, juliet, "one")
	juliet.hears(t, "romeo: one")
	juliet.says(t, romeo, "two")
	romeo.hears(t, "juliet: two")
	juliet.stop()
	juliet = start(t, s, "juliet", backup, juliet.mark)
	defer func() { juliet.stop() }()
	romeo.says(t, juliet, "three")
	if err := <-juliet.fault; err == nil {
		t.Error("read with an old state")
	}
	juliet.says(t, romeo, "again")
	romeo.hears(t, "juliet: again")
	romeo.says(t, juliet, "four")
	juliet.hears(t, "romeo: four")
}

func TestNobodyToEncryptFor(t *testing.T) {
	t.Parallel()
	s := town(t)
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	if _, _, err := romeo.end.Encrypt(within(t), xmpp.MustJID("nurse@localhost"), "anyone?"); err == nil {
		t.Error("encrypted for nobody")
	}
}

// A contact's phone that takes us off our own list is answered by putting us back.
func TestDeviceReturnsToItsList(t *testing.T) {
	t.Parallel()
	s := town(t)
	romeo := start(t, s, "romeo", omemo.NewMemoryStore(), client.Mark{})
	defer romeo.stop()
	empty := xmpp.NewElement(omemo.V2.Namespace(), "devices")
	must(t, romeo.Publish(within(t), client.Publication{Node: "urn:xmpp:omemo:2:devices", Item: client.Item{ID: "current", Payload: empty}}))
	for {
		items, err := romeo.Items(within(t), xmpp.JID{}, "urn:xmpp:omemo:2:devices")
		must(t, err)
		if len(items) == 1 && items[0].Payload.Child(omemo.V2.Namespace(), "device").Attr("id") == idOf(romeo) {
			return
		}
	}
}
