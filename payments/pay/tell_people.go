package pay

import (
	"context"
	"slices"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// called is what an account is called in words for people.
func called(who string) string {
	name, _, _ := strings.Cut(who, "@")
	return name
}

// sum writes an amount for people, and what it is for.
func (s *Service) sum(amount int64, unit, about string) string {
	text := s.Amount(amount, unit)
	if about != "" {
		text += " (" + about + ")"
	}
	return text
}

// asksFor says in words what a request asks for.
func (s *Service) asksFor(r *request) string {
	return called(r.payee) + " asks " + called(r.payer) + " for " + s.sum(r.amount, r.unit, r.about)
}

// reminds says in words that somebody is reminded.
func (s *Service) reminds(r *request) string {
	return called(r.payer) + " is reminded of " + s.sum(r.left(), r.unit, r.about) + " for " + called(r.payee)
}

// wordsOfOthers say what has happened with a payment that is none from one to another alone; empty for those that are.
func (s *Service) wordsOfOthers(p *payment) string {
	payer, payee, amount := called(p.Payer), called(p.Payee), s.Amount(p.Amount, p.Unit)
	switch p.Kind {
	case intent.Hold:
		if p.state == Ended {
			return "What " + payer + " has set aside for " + payee + " (" + amount + ") is so no longer"
		}
		return payer + " has set " + amount + " aside for " + payee
	case intent.Capture:
		return payee + " has taken " + amount + " of " + payer
	case intent.Void:
		return payee + " does not take what " + payer + " has set aside"
	case intent.Refund:
		return payer + " has given back " + amount + " to " + payee
	}
	return ""
}

// tellRequest tells those whom a request concerns how it stands, in the transaction of ctx. A share is told as the split that it belongs to.
func (s *Service) tellRequest(ctx context.Context, r *request, now time.Time, words string) error {
	child := r.element(now)
	if r.split != "" {
		p, err := s.split(ctx, r.split)
		if err != nil {
			return err
		}
		child = p.element(now)
	}
	return s.tellPeople(ctx, []string{r.payer, r.payee, r.maker}, r.chat, words+"."+s.link(r.id), child)
}

// tellSplit tells all whom a split concerns how it stands, in the transaction of ctx.
func (s *Service) tellSplit(ctx context.Context, p *split, now time.Time, words string) error {
	return s.tellPeople(ctx, p.people(), p.within, words+"."+s.link(p.id), p.element(now))
}

// tellReminded tells those who are reminded of their parts of a split, and once who asked, in the transaction of ctx.
func (s *Service) tellReminded(ctx context.Context, p *split, reminded []*request, now time.Time) error {
	child := p.element(now)
	askers := []string{p.payee, p.maker}
	for _, r := range reminded {
		to, err := xmpp.ParseJID(r.payer)
		if err != nil {
			return err
		}
		if err := s.notify(ctx, to, orWord(r.chat, r.payee), s.reminds(r)+"."+s.link(r.id), child); err != nil {
			return err
		}
		askers = slices.DeleteFunc(askers, func(who string) bool { return who == r.payer })
	}
	words := s.reminds(reminded[0])
	if n := len(reminded); n > 1 {
		words = digits(int64(n)) + " are reminded of " + s.sum(p.total, p.unit, p.about)
	}
	return s.tellPeople(ctx, askers, orWord(p.within, reminded[0].payer), words+"."+s.link(p.id), child)
}

// tellPeople tells each of some people the same, in a group, or in the conversation with the first other of them.
func (s *Service) tellPeople(ctx context.Context, people []string, group, words string, child *xmpp.Element) error {
	var all []string
	for _, who := range people {
		if !slices.Contains(all, who) {
			all = append(all, who)
		}
	}
	for _, who := range all {
		to, err := xmpp.ParseJID(who)
		if err != nil {
			return err
		}
		chat := group
		for _, other := range all {
			if chat == "" && other != who {
				chat = other
			}
		}
		if err := s.notify(ctx, to, chat, words, child); err != nil {
			return err
		}
	}
	return nil
}
