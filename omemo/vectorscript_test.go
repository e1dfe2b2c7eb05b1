package omemo

import (
	"context"
	"testing"
)

// script plays a conversation whose every random byte is known.
type script struct {
	t       *testing.T
	v       Version
	devices map[string]*Device
	random  map[string]*drawn
	out     conversationVector
}

func makeConversation(t *testing.T, v Version) conversationVector {
	s := &script{t: t, v: v, devices: map[string]*Device{}, random: map[string]*drawn{}}
	s.out.Version = v.String()
	for _, name := range []string{"romeo@example.org", "juliet@example.net"} {
		s.addDevice(name)
	}
	s.play("romeo@example.org", "juliet@example.net")
	return s.out
}

// play goes through everything that a session meets: a key exchange repeated until it is answered, empty messages, turns, messages out of
// order and twice, and both sides beginning anew at once.
func (s *script) play(romeo, juliet string) {
	s.begin(romeo, juliet, 3)
	first, second := s.encrypt(romeo, juliet, "first"), s.encrypt(romeo, juliet, "second, still a key exchange")
	s.decrypt(juliet, romeo, second)
	s.decrypt(juliet, romeo, first)
	s.decrypt(romeo, juliet, s.empty(juliet, romeo))
	for range 3 {
		s.decrypt(juliet, romeo, s.encrypt(romeo, juliet, "ping"))
		s.decrypt(romeo, juliet, s.encrypt(juliet, romeo, "pong ✓"))
	}
	var batch []int
	for _, text := range []string{"zero", "one", "two", "three", "four"} {
		batch = append(batch, s.encrypt(romeo, juliet, text))
	}
	for _, n := range []int{4, 1, 3} {
		s.decrypt(juliet, romeo, batch[n])
	}
	s.decrypt(romeo, juliet, s.encrypt(juliet, romeo, "turn"))
	s.decrypt(juliet, romeo, s.encrypt(romeo, juliet, "overtakes zero"))
	s.decrypt(juliet, romeo, batch[0])
	s.decrypt(juliet, romeo, batch[1])
	s.begin(romeo, juliet, 5)
	s.begin(juliet, romeo, 1)
	a, b := s.encrypt(romeo, juliet, "anew"), s.encrypt(juliet, romeo, "anew too")
	s.decrypt(juliet, romeo, a)
	s.decrypt(romeo, juliet, b)
	s.decrypt(juliet, romeo, s.encrypt(romeo, juliet, "on whichever"))
	s.decrypt(romeo, juliet, s.encrypt(juliet, romeo, "on the same"))
	s.decrypt(juliet, romeo, batch[2])
}

func (s *script) addDevice(jid string) {
	random := &drawn{name: s.v.String() + " " + jid}
	store := NewMemoryStore()
	d, err := create(context.Background(), store, jid, nil, start, random)
	if err != nil {
		s.t.Fatal(err)
	}
	o, err := d.loadOwner(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := s.v.profile()
	if err != nil {
		s.t.Fatal(err)
	}
	pool := o.pool(s.v)
	signed := pool.signed[0]
	out := deviceVector{
		JID: jid, Device: d.id, Private: o.identity.private[:], Identity: p.identityToWire(d.identity),
		Signed: s.preKey(p, signed.numberedPair), Signature: signed.signature,
	}
	for _, k := range pool.oneTime[:5] {
		out.PreKeys = append(out.PreKeys, s.preKey(p, k))
	}
	random.take()
	s.devices[jid], s.random[jid] = d, random
	s.out.Devices = append(s.out.Devices, out)
}

func (s *script) preKey(p *profile, k numberedPair) preKeyVector {
	return preKeyVector{k.id, k.private[:], p.keyToWire(k.public)}
}

// add completes a step with what it drew, and returns its number.
func (s *script) add(step stepVector) int {
	step.Random = s.random[step.By].take()
	s.out.Steps = append(s.out.Steps, step)
	return len(s.out.Steps) - 1
}

// begin offers a bundle with a single prekey, so that the choice costs no randomness.
func (s *script) begin(by, peer string, preKey uint32) {
	b, err := s.devices[peer].Bundle(context.Background(), s.v)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, k := range b.PreKeys {
		if k.ID == preKey {
			b.PreKeys = []PreKey{k}
			break
		}
	}
	if err := s.devices[by].Begin(context.Background(), s.devices[peer].address(), b); err != nil {
		s.t.Fatal(err)
	}
	s.add(stepVector{Do: "begin", By: by, Peer: peer, PreKey: preKey})
}

func (s *script) encrypt(by, peer, text string) int {
	m := send(s.t, s.devices[by], s.v, text, s.devices[peer].address())
	return s.add(stepVector{Do: "encrypt", By: by, Peer: peer, Text: &text, Message: messageVector(m), original: m})
}

func (s *script) empty(by, peer string) int {
	m, err := s.devices[by].EncryptEmpty(context.Background(), s.v, s.devices[peer].address())
	if err != nil {
		s.t.Fatal(err)
	}
	return s.add(stepVector{Do: "encrypt", By: by, Peer: peer, Message: messageVector(m), original: m})
}

func messageVector(m *Message) *messageJSON {
	k := m.Keys[0]
	return &messageJSON{m.SID, k.RID, k.Exchange, k.Data, m.IV, m.Payload}
}

func (s *script) decrypt(by, peer string, step int) {
	sent := s.out.Steps[step]
	out := stepVector{Do: "decrypt", By: by, Peer: peer, Step: &step}
	o, err := s.devices[by].Decrypt(context.Background(), peer, sent.original)
	if err != nil {
		out.Error = errorName(err)
		s.add(out)
		return
	}
	if !o.Empty {
		text := string(o.Plaintext)
		out.Text = &text
		if text != *sent.Text {
			s.t.Fatalf("step %d decrypted as %q", step, text)
		}
	}
	out.OwesReply = o.OwesReply
	s.add(out)
}
