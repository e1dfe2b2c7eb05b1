package pay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"palabre.dev/palabre/xmpp"
)

// freeze stops everything that is debited, until an order opens the wallet again.
func (s *Service) freeze(ctx context.Context, account xmpp.JID, _ *xmpp.Element) (*xmpp.Element, error) {
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		fresh, err := s.freezeNow(ctx, account)
		if err != nil || !fresh {
			return err
		}
		return s.tellWallet(ctx, account, say("frozen"))
	})
	if err != nil {
		return nil, err
	}
	return s.wallet(ctx, account, nil)
}

// freezeNow freezes a wallet in the transaction of ctx. It answers false if it is frozen already.
func (s *Service) freezeNow(ctx context.Context, account xmpp.JID) (fresh bool, err error) {
	w, err := s.walletOf(ctx, account)
	if err != nil || !w.frozen.IsZero() {
		return false, err
	}
	_, err = s.db.Exec(ctx, "insert into pay_wallet (account, level, frozen) values ($1, '', $2) on conflict (account) do update set frozen = excluded.frozen", account.String(), s.now().UnixMicro())
	if err != nil {
		return false, fmt.Errorf("freeze wallet: %w", err)
	}
	return true, nil
}

// thaw opens a wallet, in the transaction of ctx. Keys whose waiting was not over when it was frozen wait anew: its owner has frozen it because of one of them, perhaps.
func (s *Service) thaw(ctx context.Context, account xmpp.JID) error {
	w, err := s.walletOf(ctx, account)
	if err != nil || w.frozen.IsZero() {
		return err
	}
	_, err = s.db.Exec(ctx, "update pay_key set ready = $1 where account = $2 and ready > $3 and kind <> $4 and dropped = 0", s.now().Add(s.cfg.NewDevice).UnixMicro(), account.String(),
		w.frozen.UnixMicro(), offlineKey)
	if err != nil {
		return fmt.Errorf("open wallet: %w", err)
	}
	if _, err = s.db.Exec(ctx, "update pay_wallet set frozen = 0 where account = $1", account.String()); err != nil {
		return fmt.Errorf("open wallet: %w", err)
	}
	return nil
}

// isOlder refuses orders of a key that did not work yet when the wallet was frozen: it may be the one because of which it was.
func (s *Service) isOlder(ctx context.Context, k *key) error {
	w, err := s.walletOf(ctx, k.account)
	if err != nil || w.frozen.IsZero() || k.ready <= w.frozen.UnixMicro() {
		return err
	}
	can, err := s.canOpen(ctx, k.account, w)
	if err != nil {
		return err
	}
	if !can {
		return xmpp.PolicyViolation.Because("no key worked yet when the wallet was frozen; ask the operator to open it")
	}
	return frozen().Because("a key that worked when the wallet was frozen opens it, or allows this one")
}

// canOpen says whether a key opens a wallet that is frozen.
func (s *Service) canOpen(ctx context.Context, account xmpp.JID, w wallet) (bool, error) {
	left, err := s.payingKeys(ctx, account)
	return slices.ContainsFunc(left, func(k *key) bool { return k.opens(w.frozen, s.now()) }), err
}

// opens says whether a key opens a wallet that was frozen then: it worked already, and is not locked.
func (k *key) opens(frozen, now time.Time) bool {
	return k.kind != offlineKey && k.ready <= frozen.UnixMicro() && !k.locked(now)
}

// mayGoOn refuses to let a wallet go on that is not stopped, but frozen, and that no key opens though there are some: which of them stay is to be said (KeepKeys), as somebody else may have
// added them.
func (s *Service) mayGoOn(ctx context.Context, account xmpp.JID) error {
	p, err := s.Purse(ctx, account)
	if err != nil || !p.Shut || p.Stopped || p.Keys == 0 {
		return err
	}
	return xmpp.NotAllowed.Because("it is frozen and no key of its owner opens it: propose which of their keys stay (there are %d), and another administrator approves", p.Keys)
}

// payingKeys are the keys of an account that may pay from its wallet, now or after a while.
func (s *Service) payingKeys(ctx context.Context, account xmpp.JID) ([]*key, error) {
	return s.keys(ctx, account, "and k.dropped = 0 and k.kind <> 'offline'")
}

// openForOwner opens a wallet that is frozen and has no key that may pay from it (mayGoOn).
func (s *Service) openForOwner(ctx context.Context, account xmpp.JID) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		w, err := s.walletOf(ctx, account)
		if err != nil || w.frozen.IsZero() {
			return err
		}
		if left, err := s.payingKeys(ctx, account); err != nil || len(left) > 0 {
			return err
		}
		if err := s.thaw(ctx, account); err != nil {
			return err
		}
		return s.tellWallet(ctx, account, say("opened"))
	})
}

// readyNow is from when a key works that another one allows now. In a wallet that is frozen it counts among those that worked before.
func (s *Service) readyNow(ctx context.Context, account xmpp.JID) (int64, error) {
	w, err := s.walletOf(ctx, account)
	if err != nil || !w.frozen.IsZero() {
		return w.frozen.UnixMicro(), err
	}
	return s.now().UnixMicro(), nil
}
