package pay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

const (
	maxKeys       = 20   // that an account has, without those that were dropped and those that are unused
	maxUnused     = 4    // above which a further unused one takes the place of the oldest
	maxLinkKeys   = 10   // above which none is added by a link, so that there is room for a device
	maxKeyName    = 64   // bytes
	maxCredential = 1024 // characters of the id of a passkey
	minSecret     = 16   // bytes of a salt, a verifier, a share
	maxSecret     = 64
)

// addKey adds a payment key. The first that an account ever had works at once, or after a while where it could spend something already; one that an order of another key allows works at once, others after a delay.
func (s *Service) addKey(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	k, err := readKey(account, payload)
	if err != nil {
		return nil, err
	}
	var order *signedOrder
	if text := payload.ChildText(NS, "text"); text != "" {
		if order, err = s.readOrder(account, payload); err != nil {
			return nil, err
		}
		if order.Kind != intent.AddKey || order.About != k.id {
			return nil, badText("the order is about another key")
		}
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.insertKey(ctx, k, order) })
	if err != nil {
		return nil, err
	}
	return s.wallet(ctx, account, nil)
}

// readKey reads a <key/>.
func readKey(account xmpp.JID, payload *xmpp.Element) (*key, error) {
	k := &key{account: account, kind: payload.Attr("kind"), name: payload.Attr("name"), credential: payload.ChildText(NS, "credential")}
	if !utf8.ValidString(k.name) || len(k.name) > maxKeyName {
		return nil, badText("name: at most %d bytes", maxKeyName)
	}
	var err error
	for _, part := range []struct {
		name string
		to   *[]byte
	}{{"public", &k.public}, {"salt", &k.salt}, {"verifier", &k.verifier}, {"share", &k.share}} {
		if *part.to, err = readBytes(payload.ChildText(NS, part.name)); err != nil {
			return nil, err
		}
	}
	if _, err := intent.PublicKey(k.public); err != nil {
		return nil, badText("public: %v", err)
	}
	k.id = intent.KeyID(k.public)
	if k.kind == pinKey && len(k.salt)+len(k.verifier)+len(k.share) == 0 {
		k.kind = offlineKey // its PIN is a matter of the device
	}
	for _, secret := range [][]byte{k.salt, k.verifier, k.share} {
		if k.kind == pinKey && (len(secret) < minSecret || len(secret) > maxSecret) || k.kind != pinKey && len(secret) > 0 {
			return nil, badText("salt, verifier and share have %d to %d bytes, and belong to a key with a PIN", minSecret, maxSecret)
		}
	}
	if k.kind != pinKey && k.kind != passkey && k.kind != offlineKey || (k.kind == passkey) != (k.credential != "") || len(k.credential) > maxCredential {
		return nil, badText("kind and credential")
	}
	if k.kind == pinKey {
		sum := sha256.Sum256(k.verifier)
		k.verifier = sum[:]
	}
	return k, nil
}

// insertKey adds a key in the transaction of ctx. One that is there stays as it is; one that was dropped does not come back.
func (s *Service) insertKey(ctx context.Context, k *key, order *signedOrder) error {
	there, first, err := s.roomFor(ctx, k)
	if err != nil || there {
		return err
	}
	now := s.now()
	k.added, k.ready = now.UnixMicro(), now.UnixMicro()
	if order != nil {
		fresh, err := s.admit(ctx, order)
		if err != nil {
			return err
		}
		if !fresh { // it has allowed one that is not there any more, perhaps as another kind, and may be long expired
			return idTaken()
		}
		if k.ready, err = s.readyNow(ctx, k.account); err != nil {
			return err
		}
	} else if k.kind != offlineKey { // one without network pays nothing until an order gives it a cap
		delay, err := s.keyDelay(ctx, k.account, first)
		if err != nil {
			return err
		}
		k.ready = now.Add(delay).UnixMicro()
	}
	_, err = s.db.Exec(ctx, `insert into pay_key (account, id, kind, name, public, salt, verifier, share, credential, added, ready, dropped, wrong, waits, unlocked, unit, cap)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, 0, '', 0)`, k.account.String(), k.id, k.kind, k.name, k.public, bytesOrNone(k.salt), bytesOrNone(k.verifier),
		bytesOrNone(k.share), k.credential, k.added, k.ready)
	if err != nil {
		return fmt.Errorf("keep key: %w", err)
	}
	words := say("keyAdded", orWord(k.name, k.kind))
	if k.ready > k.added {
		words = say("keyWaits", orWord(k.name, k.kind), atMicro(k.ready))
	}
	return s.tellWallet(ctx, k.account, words)
}

// roomFor makes room for a key in the transaction of ctx, or refuses it. It says whether that key is there already, and whether none of the account's was for anything but payments
// without network. One that no order has allowed takes the place of others like it alone; and where no key could pay, there is room for one that can.
func (s *Service) roomFor(ctx context.Context, k *key) (there, first bool, err error) {
	all, err := s.keys(ctx, k.account, "")
	if err != nil {
		return false, false, err
	}
	first = true
	for _, other := range all {
		switch {
		case other.id == k.id && other.dropped != 0:
			return false, false, noKey()
		case other.id == k.id:
			return true, false, nil
		}
		first = first && other.kind == offlineKey
	}
	if k.kind == offlineKey {
		return false, first, s.forgetUnused(ctx, all)
	}
	most := maxKeys
	if k.byLink {
		most = maxLinkKeys
	}
	if counted, pays := countKeys(all); counted >= most && pays {
		return false, false, tooManyKeys(most)
	}
	return false, first, nil
}

// countKeys is how many keys count for what an account may have, and whether one of them is for more than payments without network.
func countKeys(all []*key) (counted int, pays bool) {
	for _, k := range all {
		if k.dropped == 0 && !k.unused() {
			counted++
			pays = pays || k.kind != offlineKey
		}
	}
	return counted, pays
}

func tooManyKeys(most int) *xmpp.Error {
	return xmpp.ResourceConstraint.Because("an account has at most %d keys", most)
}

// forgetUnused makes room for one more key that no order has allowed, in the transaction of ctx: the oldest of them go.
func (s *Service) forgetUnused(ctx context.Context, all []*key) error {
	unused := slices.DeleteFunc(slices.Clone(all), func(k *key) bool { return k.dropped != 0 || !k.unused() })
	for ; len(unused) >= maxUnused; unused = unused[1:] {
		if _, err := s.db.Exec(ctx, "delete from pay_key where account = $1 and id = $2 and unit = ''", unused[0].account.String(), unused[0].id); err != nil {
			return fmt.Errorf("forget a key: %w", err)
		}
	}
	return nil
}

// keyDelay is after how long a key works that no other key has allowed. The first of an account works at once, if there is nothing that it could spend.
func (s *Service) keyDelay(ctx context.Context, account xmpp.JID, first bool) (time.Duration, error) {
	if !first {
		return s.cfg.NewDevice, nil
	}
	for _, unit := range s.cfg.Units {
		for _, name := range []string{WalletAccount(unit.Code, account), PocketAccount(unit.Code, account)} {
			a, err := s.stands(ctx, name)
			if err != nil {
				return 0, err
			}
			if a.Balance > 0 {
				return s.cfg.FirstKey, nil
			}
		}
	}
	return 0, nil
}

// orWord is a name, or another word where there is none.
func orWord(name, other string) string {
	if name == "" {
		return other
	}
	return name
}

// tellWallet tells an account, in the transaction of ctx, that its wallet or its keys are others now.
func (s *Service) tellWallet(ctx context.Context, account xmpp.JID, words said) error {
	e, err := s.wallet(ctx, account, nil)
	if err != nil {
		return err
	}
	return s.notify(ctx, account, "", words.at(linkWallet, walletLink), e)
}
