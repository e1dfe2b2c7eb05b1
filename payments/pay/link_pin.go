package pay

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
)

const (
	linkGuesses  = 4              // wrong PINs by one link
	linkPause    = 24 * time.Hour // then none is tried by that link
	linksGuesses = 12             // of one key by all links, after which they are locked as a key is by its own
)

// tryByLink counts a PIN of a key that was given by a link, in the transaction of ctx. It says why it is refused, nil if it is not.
func (s *Service) tryByLink(ctx context.Context, l *linked, k *key, right bool, now time.Time) (refused, err error) {
	var wrong, until int64
	err = s.db.QueryRow(ctx, "select wrong, until from pay_link where code = $1 and until > $2", l.code, now.UnixMicro()).Scan(&wrong, &until)
	if err != nil && !noRows(err) {
		return nil, fmt.Errorf("read wrong PINs: %w", err)
	}
	if wrong < linkGuesses {
		until = 0
	}
	if until = max(until, k.links.waits); now.UnixMicro() < until {
		return nil, pinWait(until)
	}
	if right {
		return nil, s.rightByLink(ctx, l, k)
	}
	return s.wrongByLink(ctx, l, k, wrong+1, now)
}

// wrongByLink counts a wrong PIN in the transaction of ctx, which is so much for its link, and says what is answered to it. It is kept with the key as well, as whoever has a session of the
// account has as many links as they like; but apart from those in the app, where its owner goes on.
func (s *Service) wrongByLink(ctx context.Context, l *linked, k *key, wrong int64, now time.Time) (refused, err error) {
	until := now.Add(linkPause).UnixMicro()
	_, err = s.db.Exec(ctx, "insert into pay_link (code, account, wrong, until) values ($1, $2, $3, $4) on conflict (code) do update set wrong = excluded.wrong, until = excluded.until",
		l.code, l.account.String(), wrong, until)
	if err != nil {
		return nil, fmt.Errorf("count a wrong PIN: %w", err)
	}
	k.links.another(now, linksGuesses)
	if err := s.keepLinks(ctx, k); err != nil {
		return nil, err
	}
	switch left := min(linkGuesses-wrong, linksGuesses-k.links.wrong); {
	case k.links.wrong >= linksGuesses:
		return pinWait(max(k.links.waits, until)), s.shutLinks(ctx, k)
	case left == 0:
		return pinWait(max(k.links.waits, until)), s.tellWallet(ctx, l.account, say("linkGuessed"))
	case now.UnixMicro() < k.links.waits:
		return pinWait(k.links.waits), nil
	default:
		return refusal(xmpp.NotAuthorized, "wrong-pin", "left", digits(left)), nil
	}
}

// shutLinks tells the owner of a key that no PIN of it is tried by links, and the operator, in the transaction of ctx.
func (s *Service) shutLinks(ctx context.Context, k *key) error {
	if err := s.note(ctx, k.account, "link-guessing", "", k.id); err != nil {
		return err
	}
	return s.tellWallet(ctx, k.account, say("linksGuessed", orWord(k.name, k.kind), k.links.wrong, atMicro(k.links.waits)))
}

// rightByLink forgets the wrong PINs of a link, and those of this key by others, in the transaction of ctx. A right one in the app, or of another key, does not: somebody else may give it.
func (s *Service) rightByLink(ctx context.Context, l *linked, k *key) error {
	if _, err := s.db.Exec(ctx, "delete from pay_link where code = $1", l.code); err != nil {
		return fmt.Errorf("forget wrong PINs: %w", err)
	}
	k.links.wrong, k.links.waits = 0, 0
	return s.keepLinks(ctx, k)
}

// keepLinks keeps what is counted of a key by links, in the transaction of ctx.
func (s *Service) keepLinks(ctx context.Context, k *key) error {
	_, err := s.db.Exec(ctx, "update pay_key set link_wrong = $1, link_waits = $2, link_guessed = $3 where account = $4 and id = $5", k.links.wrong, k.links.waits, k.links.guessed,
		k.account.String(), k.id)
	if err != nil {
		return fmt.Errorf("count wrong PINs by links: %w", err)
	}
	return nil
}
