package pay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// signedOrder is an order with what proves it.
type signedOrder struct {
	*intent.Order
	account   xmpp.JID
	text      string
	hash      [sha256.Size]byte
	signature signature
}

// order does what an order says. The same order again changes nothing more.
func (s *Service) order(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	o, err := s.readOrder(account, payload)
	if err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		fresh, err := s.admit(ctx, o)
		if err != nil || !fresh {
			return err
		}
		words, err := s.carryOut(ctx, o)
		if err != nil {
			return err
		}
		return s.tellWallet(ctx, account, words)
	})
	if err != nil {
		return nil, err
	}
	return s.wallet(ctx, account, nil)
}

// readOrder reads the <text/> and <signature/> of an element.
func (s *Service) readOrder(account xmpp.JID, payload *xmpp.Element) (*signedOrder, error) {
	o := &signedOrder{account: account, text: payload.ChildText(NS, "text")}
	var err error
	if o.Order, err = intent.ParseOrder(o.text); err != nil {
		return nil, badText("%v", err)
	}
	o.hash = sha256.Sum256([]byte(o.text))
	if o.signature, err = readSignature(payload.Child(NS, "signature")); err != nil {
		return nil, err
	}
	switch {
	case o.Service != s.cfg.Service:
		return nil, badText("it is for another service")
	case o.Account != account.String() || o.signature.key != o.Key:
		return nil, badSignature()
	}
	return o, nil
}

// admit checks an order and keeps it, in the transaction of ctx. It answers false if it was kept before.
func (s *Service) admit(ctx context.Context, o *signedOrder) (fresh bool, err error) {
	var hash []byte
	err = s.db.QueryRow(ctx, "select hash from pay_order where id = $1", o.ID).Scan(&hash)
	if err == nil {
		if string(hash) != string(o.hash[:]) {
			return false, idTaken()
		}
		return false, nil
	}
	if !noRows(err) {
		return false, fmt.Errorf("read order: %w", err)
	}
	k, err := s.keyOf(ctx, o.account, o.Key)
	if err != nil {
		return false, err
	}
	if k.kind == offlineKey {
		return false, noKey()
	}
	if err := s.verify(k, o.text, o.signature); err != nil {
		return false, err
	}
	if err := s.isReady(k); err != nil {
		return false, err
	}
	if err := s.isOlder(ctx, k); err != nil {
		return false, err
	}
	now := s.now()
	if !now.Before(o.Expires) {
		return false, expired()
	}
	if o.Expires.Sub(now) > maxAhead {
		return false, badText("it expires too far ahead")
	}
	if err := s.orderStepped(ctx, k, o); err != nil {
		return false, err
	}
	_, err = s.db.Exec(ctx, `insert into pay_order (id, account, time, hash, intent, key, public, signature, authenticator, client) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		o.ID, o.account.String(), now.UnixMicro(), o.hash[:], o.text, o.Key, k.public, o.signature.value, bytesOrNone(o.signature.authenticator), bytesOrNone(o.signature.client))
	if err != nil {
		return false, fmt.Errorf("keep order: %w", err)
	}
	return true, nil
}

// carryOut does what an order says, in the transaction of ctx, and says it in words.
func (s *Service) carryOut(ctx context.Context, o *signedOrder) (words said, err error) {
	account, now := o.account.String(), s.now().UnixMicro()
	var n, ready int64
	switch o.Kind {
	case intent.AddKey:
		words = say("keyMay")
		if ready, err = s.readyNow(ctx, o.account); err == nil {
			n, err = s.db.Exec(ctx, "update pay_key set ready = case when ready < $1 then ready else $1 end where account = $2 and id = $3 and dropped = 0", ready, account, o.About)
		}
	case intent.DropKey:
		words = say("keyDropped")
		n, err = s.db.Exec(ctx, "update pay_key set dropped = $1 where account = $2 and id = $3 and dropped = 0", now, account, o.About)
	case intent.Unfreeze:
		return say("opened"), s.thaw(ctx, o.account)
	case intent.SetLimits:
		return say("limits"), s.setLimits(ctx, o)
	case intent.Agree:
		return say("agreed"), s.agree(ctx, o)
	case intent.AllowOffline:
		words = say("offlineLimit")
		n, err = s.setCap(ctx, o)
	}
	if err == nil && n == 0 {
		err = xmpp.ItemNotFound.Because("there is no such key")
	}
	return words, err
}

// setLimits sets limits of the account's own, which are never above those of its level.
func (s *Service) setLimits(ctx context.Context, o *signedOrder) error {
	l, err := o.Limits()
	if err != nil {
		return badText("%v", err)
	}
	unit := s.cfg.unit(l.Unit)
	if unit == nil {
		return badText("%s is not paid here", l.Unit)
	}
	w, err := s.walletOf(ctx, o.account)
	if err != nil {
		return err
	}
	level, any := unit.limit(w.level)
	if !any || level.Transaction > 0 && l.Transaction > level.Transaction {
		return overLimit("level", level.Transaction)
	}
	if level.Day > 0 && l.Day > level.Day {
		return overLimit("level", level.Day)
	}
	_, err = s.db.Exec(ctx, `insert into pay_limit (account, unit, transaction_most, day_most) values ($1, $2, $3, $4)
		on conflict (account, unit) do update set transaction_most = excluded.transaction_most, day_most = excluded.day_most`, o.account.String(), l.Unit, l.Transaction, l.Day)
	return err
}

// setCap lets a key pay from the pocket, up to a cap.
func (s *Service) setCap(ctx context.Context, o *signedOrder) (int64, error) {
	c, err := o.OfflineCap()
	if err != nil {
		return 0, badText("%v", err)
	}
	unit := s.cfg.unit(c.Unit)
	if unit == nil {
		return 0, badText("%s is not paid here", c.Unit)
	}
	if c.Cap > unit.Offline {
		return 0, overLimit("offline", unit.Offline)
	}
	all, err := s.keys(ctx, o.account, "and k.dropped = 0")
	if err != nil {
		return 0, err
	}
	counted, _ := countKeys(all)
	if counted >= maxKeys && slices.ContainsFunc(all, func(k *key) bool { return k.id == c.Key && k.unused() }) {
		return 0, tooManyKeys(maxKeys)
	}
	return s.db.Exec(ctx, "update pay_key set unit = $1, cap = $2 where account = $3 and id = $4 and dropped = 0", c.Unit, c.Cap, o.account.String(), c.Key)
}

// SetLevel sets what identification allows an account: the name of a level. The operator alone may ask for it.
func (s *Service) SetLevel(ctx context.Context, account xmpp.JID, level string) error {
	if !s.ours(account) || !s.hasLevel(level) {
		return fmt.Errorf("set level of %s: there is no such account or level", account)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, "insert into pay_wallet (account, level, frozen) values ($1, $2, 0) on conflict (account) do update set level = excluded.level", account.String(), level)
		if err != nil {
			return fmt.Errorf("set level: %w", err)
		}
		return s.tellWallet(ctx, account, say("limits"))
	})
}

func (s *Service) hasLevel(level string) bool {
	for _, one := range s.cfg.Levels {
		if one == level {
			return true
		}
	}
	return false
}
