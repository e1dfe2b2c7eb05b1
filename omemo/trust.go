package omemo

import (
	"context"
	"fmt"
	"slices"
)

// Trust is what is thought of an identity. The policy is blind trust before verification, as in Conversations: as long as no
// identity of an address is verified, new ones are trusted blindly; from then on they wait for a decision.
// The numbers are saved: never renumber.
type Trust uint8

// The four opinions.
const (
	Undecided  Trust = 0 // new beside a verified identity: not encrypted for
	Blind      Trust = 1 // trusted because nobody looked yet
	Verified   Trust = 2 // a person compared the fingerprint
	Distrusted Trust = 3 // a person rejected it: not encrypted for
)

// String names t for people.
func (t Trust) String() string {
	switch t {
	case Undecided:
		return "undecided"
	case Blind:
		return "blind"
	case Verified:
		return "verified"
	case Distrusted:
		return "distrusted"
	}
	return fmt.Sprintf("unknown trust %d", uint8(t))
}

// Known is an identity seen at an address, and what is thought of it.
type Known struct {
	Identity Identity
	Trust    Trust
}

// knownList is every identity remembered for one address, and every device with a session; both oldest first.
type knownList struct {
	known   []Known
	devices [2][]uint32 // by version - 1
	changed bool
}

// admit notes that there is a session with a device. It returns the device whose session makes room, or 0: an account that
// invents devices pushes out its own.
func (l *knownList) admit(v Version, device uint32) (evicted uint32) {
	list := &l.devices[v-V03]
	if slices.Contains(*list, device) {
		return 0
	}
	if len(*list) >= MaxIdentities {
		evicted, *list = (*list)[0], (*list)[1:]
	}
	*list, l.changed = append(*list, device), true
	return evicted
}

// drop notes that there is no session with a device any more.
func (l *knownList) drop(v Version, device uint32) {
	list := &l.devices[v-V03]
	if at := slices.Index(*list, device); at >= 0 {
		*list, l.changed = slices.Delete(*list, at, at+1), true
	}
}

// observe returns the trust in an identity, remembering it if it is new. When the list is full, the oldest that no person decided
// about makes room; if there is none, the new one stays undecided and is not remembered.
func (l *knownList) observe(id Identity) Trust {
	if k := l.find(id); k != nil {
		return k.Trust
	}
	trust := Blind
	if slices.ContainsFunc(l.known, func(k Known) bool { return k.Trust == Verified }) {
		trust = Undecided
	}
	if len(l.known) >= MaxIdentities {
		at := slices.IndexFunc(l.known, func(k Known) bool { return k.Trust == Blind || k.Trust == Undecided })
		if at < 0 {
			return Undecided
		}
		l.known = slices.Delete(l.known, at, at+1)
	}
	l.known, l.changed = append(l.known, Known{id, trust}), true
	return trust
}

func (l *knownList) find(id Identity) *Known {
	for i := range l.known {
		if l.known[i].Identity == id {
			return &l.known[i]
		}
	}
	return nil
}

// refusal is why nothing may be encrypted for an identity, or nil.
func (t Trust) refusal() error {
	switch t {
	case Blind, Verified:
		return nil
	case Distrusted:
		return ErrDistrusted
	}
	return ErrUndecided
}

func (l *knownList) save() []byte {
	f := newSaved(kindTrust)
	for _, k := range l.known {
		f.bytes(1, append(k.Identity[:], byte(k.Trust)))
	}
	for i, devices := range l.devices {
		for _, device := range devices {
			f.uint(2+i, uint64(device))
		}
	}
	return f
}

func loadKnown(in []byte) (*knownList, error) {
	l := &knownList{}
	err := eachSaved(in, kindTrust, func(f entry) (err error) {
		switch f.number {
		case 1:
			l.known, err = appendLoaded(l.known, f, MaxIdentities, loadOneKnown)
		case 2, 3:
			err = f.append(&l.devices[f.number-2], MaxIdentities)
		default:
			err = unknownField(f)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load identities: %w", err)
	}
	return l, nil
}

func loadOneKnown(in []byte) (k Known, err error) {
	if len(in) != len(k.Identity)+1 || Trust(in[32]) > Distrusted {
		return k, fmt.Errorf("identity of %d bytes: %w", len(in), ErrState)
	}
	return Known{Identity(in[:32]), Trust(in[32])}, nil
}

// Identities returns every identity remembered for an address, oldest first, at most MaxIdentities.
func (d *Device) Identities(ctx context.Context, jid string) ([]Known, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.loadKnown(ctx, jid)
	if err != nil {
		return nil, err
	}
	return l.known, nil
}

// SetTrust records a person's decision about an identity of an address, which need not have been seen yet: a scanned code may come first.
func (d *Device) SetTrust(ctx context.Context, jid string, id Identity, trust Trust) error {
	if trust > Distrusted || jid == "" || len(jid) > MaxJID {
		return fmt.Errorf("set trust %s at %.100q: %w", trust, jid, ErrMalformed)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.loadKnown(ctx, jid)
	if err != nil {
		return err
	}
	l.observe(id)
	k := l.find(id)
	if k == nil {
		return fmt.Errorf("remember another identity of %s: %w", jid, ErrTooLarge)
	}
	k.Trust = trust
	if err := d.store.Save(ctx, map[string][]byte{trustName(jid): l.save()}); err != nil {
		return fmt.Errorf("save trust in %s: %w", jid, err)
	}
	return nil
}
