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

// asksFor says what a request asks for.
func asksFor(r *request) said {
	text := "asks"
	switch r.kind {
	case intent.Hold:
		text = "asksHold"
	case intent.Mandate:
		text = "asksMandate"
	}
	return say(text, called(r.payee), called(r.payer), money{r.amount, r.unit, r.about})
}

// reminds says that somebody is reminded.
func reminds(r *request) said {
	return say("reminds", called(r.payer), called(r.payee), money{r.left(), r.unit, r.about})
}

// tellRequest tells those whom a request concerns how it stands, in the transaction of ctx. A share is told as the split that it belongs to.
func (s *Service) tellRequest(ctx context.Context, r *request, now time.Time, words said) error {
	child := r.element(now)
	if r.split != "" {
		p, err := s.split(ctx, r.split)
		if err != nil {
			return err
		}
		child = p.element(now)
	}
	return s.tellPeople(ctx, []string{r.payer, r.payee, r.maker}, r.chat, words.at(linkRequest, r.id), child)
}

// tellSplit tells all whom a split concerns how it stands, in the transaction of ctx.
func (s *Service) tellSplit(ctx context.Context, p *split, now time.Time, words said) error {
	return s.tellPeople(ctx, p.people(), p.within, words.at(linkSplit, p.id), p.element(now))
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
		if err := s.notify(ctx, to, orWord(r.chat, r.payee), reminds(r).at(linkRequest, r.id), child); err != nil {
			return err
		}
		askers = slices.DeleteFunc(askers, func(who string) bool { return who == r.payer })
	}
	words := reminds(reminded[0])
	if n := len(reminded); n > 1 {
		words = say("remindsMany", int64(n), money{p.total, p.unit, p.about})
	}
	return s.tellPeople(ctx, askers, orWord(p.within, reminded[0].payer), words.at(linkSplit, p.id), child)
}

// tellPeople tells each of some people the same, in a group, or in the conversation with the first other of them.
func (s *Service) tellPeople(ctx context.Context, people []string, group string, words said, child *xmpp.Element) error {
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
