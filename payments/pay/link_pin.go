package pay

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
)

const (
	linkGuesses  = 4  // wrong PINs by one link
	linksGuesses = 12 // and by all links of an account together
	linkPause    = 24 * time.Hour
)

// guesses are the wrong PINs by links of an account that are not forgotten.
type guesses struct {
	own, all   int64
	next, last int64 // when the first of all is forgotten, and when those of this link are
}

// guessed reads them in the transaction of ctx.
func (s *Service) guessed(ctx context.Context, l *linked, now time.Time) (g guesses, err error) {
	rows, err := s.db.Query(ctx, "select code, wrong, until from pay_link where account = $1 and until > $2 order by until limit 1000", l.account.String(), now.UnixMicro())
	if err != nil {
		return g, fmt.Errorf("read wrong PINs: %w", err)
	}
	for rows.Next() {
		var code string
		var wrong, until int64
		if err := rows.Scan(&code, &wrong, &until); err != nil {
			return g, fmt.Errorf("read wrong PINs: %w", err)
		}
		if g.all += wrong; g.next == 0 {
			g.next = until
		}
		if code == l.code {
			g.own, g.last = wrong, until
		}
	}
	return g, nil
}

// mayTry refuses a PIN by a link by which too many were wrong, or where too many were by all links. The key itself counts none of them.
func (g *guesses) mayTry() error {
	switch {
	case g.own >= linkGuesses:
		return pinWait(g.last)
	case g.all >= linksGuesses:
		return pinWait(g.next)
	}
	return nil
}

// tryByLink counts a PIN that was given by a link, in the transaction of ctx. It says why it is refused, nil if it is not.
func (s *Service) tryByLink(ctx context.Context, l *linked, right bool, now time.Time) (refused, err error) {
	g, err := s.guessed(ctx, l, now)
	if err != nil {
		return nil, err
	}
	if err := g.mayTry(); err != nil {
		return nil, err
	}
	if !right {
		return s.wrongByLink(ctx, l, g, now)
	}
	return nil, s.rightByLink(ctx, l)
}

// wrongByLink counts a wrong PIN of a link in the transaction of ctx, and says what is answered to it.
func (s *Service) wrongByLink(ctx context.Context, l *linked, g guesses, now time.Time) (refused, err error) {
	until := now.Add(linkPause).UnixMicro()
	_, err = s.db.Exec(ctx, `insert into pay_link (code, account, wrong, until) values ($1, $2, 1, $3) on conflict (code) do update
		set wrong = case when pay_link.until > $4 then pay_link.wrong + 1 else 1 end, until = excluded.until`, l.code, l.account.String(), until, now.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("count a wrong PIN: %w", err)
	}
	left := min(linkGuesses-g.own, linksGuesses-g.all) - 1
	if left > 0 {
		return refusal(xmpp.NotAuthorized, "wrong-pin", "left", digits(left)), nil
	}
	return pinWait(until), s.tellWallet(ctx, l.account, say("linkGuessed"))
}

// rightByLink forgets the wrong PINs of a link, in the transaction of ctx.
func (s *Service) rightByLink(ctx context.Context, l *linked) error {
	if _, err := s.db.Exec(ctx, "delete from pay_link where code = $1", l.code); err != nil {
		return fmt.Errorf("forget wrong PINs: %w", err)
	}
	return nil
}
