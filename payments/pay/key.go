package pay

import (
	"context"
	"errors"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Kinds of a key.
const (
	pinKey     = "pin"
	passkey    = "passkey"
	offlineKey = "offline" // pays from the pocket alone
)

// key is a payment key of an account.
type key struct {
	account               xmpp.JID
	id, kind, name        string
	public                []byte
	salt, verifier, share []byte
	credential            string
	added, ready, dropped int64 // UTC microseconds
	tries                       // in the app
	links                 tries // by links
	unlocked              int64
	unit                  string
	cap                   int64
	byLink                bool // whoever has a link adds it
}

const keyColumns = `k.id, k.kind, k.name, k.public, k.salt, k.verifier, k.share, k.credential, k.added, k.ready, k.dropped, k.wrong, k.waits, k.guessed, k.link_wrong, k.link_waits,
	k.link_guessed, k.unlocked, k.unit, k.cap from pay_key k`

// keys reads keys of an account, the oldest first; where follows "account = $1".
func (s *Service) keys(ctx context.Context, account xmpp.JID, where string, args ...any) ([]*key, error) {
	return read(ctx, s.db, "keys", func(row *store.Rows) (*key, error) {
		k := &key{account: account}
		return k, row.Scan(&k.id, &k.kind, &k.name, &k.public, &k.salt, &k.verifier, &k.share, &k.credential, &k.added, &k.ready, &k.dropped, &k.wrong, &k.waits, &k.guessed,
			&k.links.wrong, &k.links.waits, &k.links.guessed, &k.unlocked, &k.unit, &k.cap)
	}, "select "+keyColumns+" where k.account = $1 "+where+" order by k.added, k.id", append([]any{account.String()}, args...)...)
}

// keyOf reads a key; one that the account does not have, or not any more, is refused.
func (s *Service) keyOf(ctx context.Context, account xmpp.JID, id string) (*key, error) {
	all, err := s.keys(ctx, account, "and k.id = $2", id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].dropped != 0 {
		return nil, noKey()
	}
	return all[0], nil
}

// unused says whether a key is for payments without network and was never allowed any: whoever is logged in may add one, and it pays nothing.
func (k *key) unused() bool { return k.kind == offlineKey && k.unit == "" }

// verify checks that a key has signed a text.
func (s *Service) verify(k *key, text string, sig signature) error {
	if k.kind == passkey {
		return s.verifyPasskey(k, text, sig)
	}
	if len(sig.authenticator)+len(sig.client) > 0 {
		return badSignature()
	}
	if err := intent.Verify(k.public, text, sig.value); err != nil {
		return badSignature()
	}
	return nil
}

// isReady refuses a key that does not work yet.
func (s *Service) isReady(k *key) error {
	if s.now().UnixMicro() < k.ready {
		return notReady(time.UnixMicro(k.ready))
	}
	return nil
}

// mayUse refuses what a key may not sign.
func (s *Service) mayUse(ctx context.Context, k *key, i *intent.Intent) error {
	if err := s.isReady(k); err != nil {
		return err
	}
	own := i.Amount > 0 && i.Kind != intent.Capture // it debits the wallet whose key it is, and is refused while that is frozen
	if !own && k.kind != offlineKey {
		if err := s.isOlder(ctx, k); err != nil {
			return err
		}
	}
	if i.Kind == intent.Offline {
		if k.unit != i.Unit || k.cap < i.Amount {
			return overLimit("offline", k.cap)
		}
		return nil
	}
	if k.kind == offlineKey {
		if takesBack(i) && k.cap > 0 { // what it may have promised
			return nil
		}
		return noKey()
	}
	return s.stepped(ctx, k, i)
}

// noRows says whether nothing was found.
func noRows(err error) bool { return errors.Is(err, store.ErrNoRows) }
