package roster

import (
	"cmp"
	"context"
	"slices"

	"palabre.dev/palabre/store/recent"
	"palabre.dev/palabre/xmpp"
)

// contact is what presence needs to know of a contact.
type contact struct {
	jid   xmpp.JID
	state State
}

// newContacts holds the contacts of accounts, sorted by address. A list is never changed in place.
func (f *Feature) newContacts() *recent.Cache[[]contact] {
	return recent.New(f.cfg.CachedContacts, func(list []contact) int { return len(list) }, f.loadContacts)
}

func (f *Feature) loadContacts(ctx context.Context, account int64) ([]contact, error) {
	items, err := f.items(ctx, `account = $1 and state <> $2`, account, int64(gone))
	if err != nil {
		return nil, err
	}
	found := make([]contact, len(items))
	for i, it := range items {
		found[i] = contact{it.contact, it.state &^ gone}
	}
	slices.SortFunc(found, func(a, b contact) int { return cmp.Compare(a.jid.String(), b.jid.String()) })
	return found, nil
}

func find(list []contact, jid xmpp.JID) (i int, found bool) {
	return slices.BinarySearchFunc(list, jid.String(), func(c contact, text string) int { return cmp.Compare(c.jid.String(), text) })
}

// noteState takes over a contact's state as it is in the database now.
func (f *Feature) noteState(account int64, jid xmpp.JID, state State) {
	f.contacts.Update(account, func(list []contact) []contact {
		i, found := find(list, jid)
		switch {
		case found && state == 0:
			return slices.Delete(slices.Clone(list), i, i+1)
		case found:
			list = slices.Clone(list)
			list[i].state = state
		case state != 0:
			return slices.Insert(slices.Clone(list), i, contact{jid, state})
		}
		return list
	})
}

// stateOf is where an account stands with a contact.
func (f *Feature) stateOf(ctx context.Context, account int64, jid xmpp.JID) (State, error) {
	list, err := f.contacts.Get(ctx, account)
	if err != nil {
		return 0, err
	}
	if i, found := find(list, jid.Bare()); found {
		return list[i].state, nil
	}
	return 0, nil
}
