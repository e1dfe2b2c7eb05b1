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
	wrongWaits  = 5 // wrong PINs in a row, after which none is tried for pinPause
	wrongLocks  = 10
	pinPause    = 15 * time.Minute
	lockFirst   = 24 * time.Hour // that a key is locked after wrongLocks; then for twice as long after each further one
	lockMost    = 32 * lockFirst
	wrongAtOnce = 50            // wrong PINs of a key that are tried soon one after the other, with right ones between them
	wrongEvery  = 4 * time.Hour // and after how long it is one more
)

// tries are the wrong PINs of a key.
type tries struct {
	wrong   int64 // since the last right one
	waits   int64 // until when none is tried, in UTC microseconds
	guessed int64 // until when they are worked off, right ones between them or not
}

// another counts one more: after so many in a row the key is locked. With right ones between them, it waits for its turn after wrongAtOnce.
func (t *tries) another(now time.Time, locks int64) {
	t.wrong++
	t.guessed = max(t.guessed, now.UnixMicro()) + wrongEvery.Microseconds()
	if t.wrong >= locks {
		t.waits = now.Add(lockOf(t.wrong - locks)).UnixMicro()
	}
	t.waits = max(t.waits, t.guessed-wrongAtOnce*wrongEvery.Microseconds())
}

// unlock gives a device the share of its key for the right verifier. The count of wrong ones is kept before anything is answered, and one is looked at at a time.
func (s *Service) unlock(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return s.unlockBy(ctx, account, payload, nil)
}

// unlockBy does it for whoever has a link, if there is one: then a wrong PIN shuts links alone, and the app goes on.
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
			refused, err = s.tryByLink(ctx, by, k, right, now)
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

// wrongPIN counts a wrong PIN in the transaction of ctx, and says what is answered to it. Whoever has a session of the account may give them, and takes no key from its owner by that:
// it is locked, not dropped, and opens with the right PIN when its time is over. Until its owner or the operator opens the wallet, none that waits works, as if the owner had frozen it.
func (s *Service) wrongPIN(ctx context.Context, k *key, now time.Time) (refused, err error) {
	if k.another(now, wrongLocks); k.wrong == wrongWaits {
		k.waits = max(k.waits, now.Add(pinPause).UnixMicro())
	}
	_, err = s.db.Exec(ctx, "update pay_key set wrong = $1, waits = $2, guessed = $3 where account = $4 and id = $5", k.wrong, k.waits, k.guessed, k.account.String(), k.id)
	if err != nil {
		return nil, fmt.Errorf("count a wrong PIN: %w", err)
	}
	switch {
	case k.wrong >= wrongLocks:
		return pinWait(k.waits), s.lockedByGuesses(ctx, k)
	case now.UnixMicro() < k.waits:
		return pinWait(k.waits), nil
	case k.wrong < wrongWaits:
		return refusal(xmpp.NotAuthorized, "wrong-pin", "left", digits(wrongWaits-k.wrong)), nil
	}
	return refusal(xmpp.NotAuthorized, "wrong-pin", "left", digits(wrongLocks-k.wrong)), nil
}

// lockOf is for how long a key is locked after so many wrong PINs more than lock it: each of them is tried after twice the time. That is 15 in the first year, and 12 in each one after it.
func lockOf(more int64) time.Duration {
	lock := lockFirst
	for ; more > 0 && lock < lockMost; more-- {
		lock *= 2
	}
	return lock
}

// lockedByGuesses freezes the wallet of a key that was locked, and tells its owner and the operator, in the transaction of ctx.
func (s *Service) lockedByGuesses(ctx context.Context, k *key) error {
	if err := s.note(ctx, k.account, "pin-guessing", "", k.id); err != nil {
		return err
	}
	if _, err := s.freezeNow(ctx, k.account); err != nil {
		return err
	}
	return s.tellWallet(ctx, k.account, say("keyGuessed", orWord(k.name, k.kind), k.wrong, atMicro(k.waits)))
}

// locked says whether a key was locked because of wrong PINs, and still is.
func (k *key) locked(now time.Time) bool { return k.wrong >= wrongLocks && now.UnixMicro() < k.waits }
