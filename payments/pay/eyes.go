package pay

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// eyesDelay is how long an account is not another pair of eyes, after an administrator made it one or gave it a password: otherwise whoever has one administrator's session
// makes themselves a second. Until then the others can see it in the audit log.
const eyesDelay = 24 * time.Hour

// Raise notes, in the transaction of ctx if there is one, that somebody makes an account an administrator ("admin"), or that it gets a password by somebody ("password"): what
// says which. by is empty for who came in by an invitation, and where it is not known. Who does it to their own account is no other for it.
func (s *Service) Raise(ctx context.Context, by string, account xmpp.JID, what string) error {
	if by == account.String() {
		return s.Note(ctx, by, "raise-"+what, by, "")
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, "insert into pay_raised (account, time) values ($1, $2) on conflict (account) do update set time = excluded.time", account.String(), s.now().UnixMicro())
		if err != nil {
			return fmt.Errorf("note a new administrator: %w", err)
		}
		if by == "" {
			by = account.String()
		}
		return s.audit(ctx, by, "raise-"+what, account.String(), "")
	})
}

// Vouch makes an administrator another pair of eyes at once, in the name of whoever has the machine: else one administrator could keep all others from approving, day after day.
func (s *Service) Vouch(ctx context.Context, by string, account xmpp.JID) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "delete from pay_raised where account = $1", account.String()); err != nil {
			return fmt.Errorf("vouch for an administrator: %w", err)
		}
		return s.audit(ctx, by, "vouch-admin", account.String(), "")
	})
}

// TwoPairs refuses two who may be one person: who approves what they have proposed themselves, and accounts of which one was raised less than a day ago.
func (s *Service) TwoPairs(ctx context.Context, proposer, approver string) error {
	if approver == proposer {
		return xmpp.NotAllowed.Because("another administrator approves it")
	}
	var last int64
	err := s.db.QueryRow(ctx, "select coalesce(max(time), 0) from pay_raised where account in ($1, $2)", proposer, approver).Scan(&last)
	if err != nil {
		return fmt.Errorf("read new administrators: %w", err)
	}
	if until := time.UnixMicro(last).Add(eyesDelay); s.now().Before(until) {
		return xmpp.NotAllowed.Because("one of the two became an administrator, or was given a password by one, less than a day ago: from %s on they approve together", intent.FormatTime(until))
	}
	return nil
}
