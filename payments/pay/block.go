package pay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// Whoever somebody blocks (XEP-0191) has an account before them that is not there: a message to it comes back so, and so does what is asked of it, set aside for it or
// sent to it here. What that person has asked for themselves is paid all the same, in their own words, and what is theirs is given back: a block is no way to owe less.

// shutOut says whether an account blocks somebody. Without a directory nobody does.
func (s *Service) shutOut(ctx context.Context, account, somebody xmpp.JID) (bool, error) {
	if s.directory == nil {
		return false, nil
	}
	blocked, err := s.directory.Blocked(ctx, account, somebody)
	if err != nil {
		return false, fmt.Errorf("look whom %s blocks: %w", account, err)
	}
	return blocked, nil
}

// reachable refuses what is for an account that blocks somebody, in the words in which one that is not there is.
func (s *Service) reachable(ctx context.Context, somebody, account xmpp.JID) error {
	shut, err := s.shutOut(ctx, account, somebody)
	if err == nil && shut {
		return noPayee()
	}
	return err
}

// welcome refuses a payment that its payee has not asked for and lets nobody of that address make.
func (s *Service) welcome(ctx context.Context, p *payment) error {
	if p.from == p.payee || p.wanted && (p.For == "" || p.wantedFor != nil && p.For == *p.wantedFor) {
		return nil
	}
	return s.reachable(ctx, p.payer, p.payee)
}

// quiet refuses words with what is about something that was there before, to who blocks who writes them: but for its own words.
func (s *Service) quiet(ctx context.Context, p *payment, writer, reader xmpp.JID, own string) error {
	if p.For == "" || p.For == own {
		return nil
	}
	return s.reachable(ctx, writer, reader)
}

// maySend refuses to say what a payment costs that its payee would not get. What is about something they have asked for is looked at as it would be paid.
func (s *Service) maySend(ctx context.Context, p *payment) error {
	if !slices.Contains([]intent.Kind{intent.Send, intent.Tip, intent.Offline, intent.Hold, intent.Mandate}, p.Kind) {
		return nil
	}
	away := s.welcome(ctx, p)
	if away == nil || p.Of == "" {
		return away
	}
	if p.Kind == intent.Hold || p.Kind == intent.Mandate {
		return nil // a request asks for it, or it is refused
	}
	var refused *xmpp.Error
	if err := s.look(ctx, p); err != nil && !errors.As(err, &refused) {
		return err
	}
	if refused != nil {
		return away
	}
	return s.welcome(ctx, p)
}

// unreachable are those of some people who block somebody.
func (s *Service) unreachable(ctx context.Context, somebody string, people ...string) (map[string]bool, error) {
	all := map[string]bool{}
	if s.directory == nil {
		return all, nil
	}
	from, err := xmpp.ParseJID(somebody)
	if err != nil {
		return nil, err
	}
	for _, who := range people {
		account, err := xmpp.ParseJID(who)
		if err != nil {
			return nil, err
		}
		if all[who], err = s.shutOut(ctx, account, from); err != nil {
			return nil, err
		}
	}
	return all, nil
}
