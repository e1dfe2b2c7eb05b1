package pay

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

const (
	wrongWaits = 5 // wrong PINs in a row, after which none is tried for pinPause
	wrongDrops = 10
	pinPause   = 15 * time.Minute
)

// unlock gives a device the share of its key for the right verifier. The count of wrong ones is kept before anything is answered, and one is looked at at a time.
func (s *Service) unlock(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return s.unlockBy(ctx, account, payload, nil)
}

// unlockBy does it for whoever has a link, if there is one: then a wrong PIN counts for the link, and not for the key.
func (s *Service) unlockBy(ctx context.Context, account xmpp.JID, payload *xmpp.Element, by *linked) (answer *xmpp.Element, err error) {
	verifier, err := readBytes(payload.Attr("verifier"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(verifier)
	var refused error
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		answer, refused = nil, nil
		k, err := s.keyOf(ctx, account, payload.Attr("key"))
		if err != nil {
			return err
		}
		now := s.now()
		switch {
		case k.kind != pinKey:
			return noKey()
		case now.UnixMicro() < k.waits:
			return pinWait(k.waits)
		}
		right := subtle.ConstantTimeCompare(k.verifier, sum[:]) == 1
		if by != nil {
			refused, err = s.tryByLink(ctx, by, right, now)
		} else if !right {
			refused, err = s.wrongPIN(ctx, k, now)
		}
		if err != nil || refused != nil {
			return err
		}
		if err := s.forgetSteps(ctx, k); err != nil {
			return err
		}
		answer = xmpp.NewText(NS, "share", base64.RawURLEncoding.EncodeToString(k.share))
		_, err = s.db.Exec(ctx, "update pay_key set wrong = 0, waits = 0, unlocked = $1 where account = $2 and id = $3", now.UnixMicro(), account.String(), k.id)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func pinWait(at int64) *xmpp.Error {
	return refusal(xmpp.NotAuthorized, "wait", "until", intent.FormatTime(time.UnixMicro(at)))
}

// wrongPIN counts a wrong PIN in the transaction of ctx, and says what is answered to it.
func (s *Service) wrongPIN(ctx context.Context, k *key, now time.Time) (refused, err error) {
	k.wrong++
	refused = refusal(xmpp.NotAuthorized, "wrong-pin", "left", digits(wrongDrops-k.wrong))
	switch {
	case k.wrong >= wrongDrops:
		k.dropped = now.UnixMicro()
	case k.wrong == wrongWaits:
		k.waits = now.Add(pinPause).UnixMicro()
		refused = pinWait(k.waits)
	case k.wrong < wrongWaits:
		refused = refusal(xmpp.NotAuthorized, "wrong-pin", "left", digits(wrongWaits-k.wrong))
	}
	_, err = s.db.Exec(ctx, "update pay_key set wrong = $1, waits = $2, dropped = $3 where account = $4 and id = $5", k.wrong, k.waits, k.dropped, k.account.String(), k.id)
	if err != nil {
		return nil, fmt.Errorf("count a wrong PIN: %w", err)
	}
	if k.dropped == 0 {
		return refused, nil
	}
	if err := s.note(ctx, k.account, "pin-guessing", "", k.id); err != nil {
		return nil, err
	}
	return refused, s.tellWallet(ctx, k.account, say("keyGuessed", orWord(k.name, k.kind), int64(wrongDrops)))
}
