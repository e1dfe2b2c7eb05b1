package vcard

import (
	"context"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// cachedAvatars is how many accounts' hashes are in memory.
const cachedAvatars = 20_000

// shown is what presence says of an account's avatar.
type shown struct {
	hash   string // "" if it has none
	access string // of the node with the picture
}

// avatars remembers hashes. What was read while something changed is not remembered.
type avatars struct {
	mu    sync.Mutex  // guards what follows
	turns [256]uint64 // by account: grows with every change
	cache *lru.Cache[int64, shown]
}

func newAvatars() (*avatars, error) {
	cache, err := lru.New[int64, shown](cachedAvatars)
	return &avatars{cache: cache}, err
}

func (a *avatars) get(account int64) (found shown, ok bool, turn uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok = a.cache.Get(account)
	return found, ok, a.turns[uint8(account)]
}

func (a *avatars) put(account int64, s shown, turn uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turns[uint8(account)] == turn {
		a.cache.Add(account, s)
	}
}

func (a *avatars) drop(account int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turns[uint8(account)]++
	a.cache.Remove(account)
}

func (f *Feature) shows(ctx context.Context, account *core.Account) (shown, error) {
	found, ok, turn := f.avatars.get(account.ID)
	if ok {
		return found, nil
	}
	img, err := f.avatar(ctx, account)
	if err != nil {
		return shown{}, err
	}
	if img != nil {
		found.hash = img.id
		if found.access, err = f.items.Access(ctx, account, nsData); err != nil {
			return shown{}, err
		}
	}
	f.avatars.put(account.ID, found, turn)
	return found, nil
}

// stamp puts the hash of the avatar into available presence, so that apps need not fetch the avatar to learn it (XEP-0398 §5). Presence
// that says that the app shows no photo stays as it is. A directed presence goes to people who need not be contacts, such as a room: it
// gets the hash only of an avatar that anybody may see.
func (f *Feature) stamp(ctx context.Context, t *core.Transit) error {
	st := t.Stanza
	if st.Kind != xmpp.Presence || st.Type != "" || t.Via == nil {
		return nil
	}
	x := st.Child(nsUpdate, "x")
	photo := x.Child(nsUpdate, "photo")
	if photo != nil && photo.Text() == "" {
		return nil
	}
	s, err := f.shows(ctx, t.Sender)
	if err != nil {
		f.log.Error("could not look up an avatar", "account", t.Sender.JID, "err", err)
		return nil
	}
	if s.access != "open" && (s.access != "presence" || !st.To.IsZero()) {
		s.hash = ""
	}
	if x == nil && s.hash == "" || photo != nil && photo.Text() == s.hash {
		return nil
	}
	own := t.Edit()
	own.Remove(func(e *xmpp.Element) bool { return e.Is(nsUpdate, "x") })
	own.Add(xmpp.NewElement(nsUpdate, "x", xmpp.NewText(nsUpdate, "photo", s.hash)))
	return nil
}
