package pay

import (
	"context"
	"errors"
	"slices"
	"time"

	"palabre.dev/palabre/xmpp"
)

// askSplit is <split/>: somebody asks others for their parts of a bill.
func (s *Service) askSplit(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	now := s.now()
	content := contentOf(who, e)
	if done, err := s.askedBefore(ctx, "pay_split", e.Attr("id"), content); err != nil {
		return nil, err
	} else if done { // whatever has changed since, with whom it was asked
		return s.getSplit(ctx, account, e)
	}
	p, err := readSplit(who, e, now)
	if err != nil {
		return nil, err
	}
	if err := s.mayStand(p.within); err != nil {
		return nil, err
	}
	people := []string{p.payee}
	for _, one := range p.shares {
		people = append(people, one.account)
	}
	if err := s.mayAsk(ctx, account, p.unit, people...); err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if done, err := s.askedBefore(ctx, "pay_split", p.id, content); done || err != nil {
			return err
		}
		if err := s.mayWait(ctx, who, len(p.shares)); err != nil {
			return err
		}
		if err := s.addSplit(ctx, p, content); err != nil {
			return err
		}
		return s.tellSplit(ctx, p, now, say("asksEach", called(p.maker), money{p.total, p.unit, p.about}))
	})
	if err != nil {
		return nil, err
	}
	if p, err = s.split(ctx, p.id); err != nil {
		return nil, err
	}
	return p.whole(now), nil
}

// getSplit is <split id=/>. Whoever knows the id may read it: it is said in the group alone, whose members are known to nobody here.
func (s *Service) getSplit(ctx context.Context, _ xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	p, err := s.split(ctx, e.Attr("id"))
	if err != nil {
		return nil, err
	}
	return p.whole(s.now()), nil
}

// mySplits picks the splits of somebody, of a group if one is named.
const mySplits = `id in (select id from pay_split where maker = $1 union select id from pay_split where payee = $1 union select split from pay_share where account = $1)
	and ($2 = '' or within = $2)`

// getSplits is <splits group= before= max=/>: those in which somebody has a part, the newest first.
func (s *Service) getSplits(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	a := &asked{e: e}
	size, group := a.number("max", 1, maxPageSize, pageSize), a.optional("group")
	if a.err != nil {
		return nil, a.err
	}
	before, err := s.place(ctx, "pay_split", e.Attr("before"))
	if err != nil {
		return nil, err
	}
	found, err := s.splits(ctx, mySplits+" and made < $3 order by made desc limit $4", who, group, before, size+1)
	if err != nil {
		return nil, err
	}
	now := s.now()
	return paged(element("splits"), found, size, func(p *split) string { return p.id }, func(p *split) *xmpp.Element { return p.element(now) }), nil
}

// cancel is <cancel id=/> of a request, of all that is not paid of a split, or of a recurring request.
func (s *Service) cancel(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	p, err := s.splitIf(ctx, e.Attr("id"))
	if err != nil {
		return nil, err
	}
	if p != nil {
		return s.changeSplit(ctx, who, p.id, func(r *request, now time.Time) error { return r.cancel(who, now) },
			func(p *split) said { return say("unaskedAll", money{p.total, p.unit, p.about}) })
	}
	return s.changeRequest(ctx, who, e, func(ctx context.Context, r *request, now time.Time) error {
		if r.id == r.series && (who == r.payee || who == r.maker) {
			return s.cancelSeries(ctx, r, who, now)
		}
		return r.cancel(who, now)
	}, func(r *request) said {
		return say("unasked", called(r.payee), money{r.amount, r.unit, r.about})
	})
}

// cancelSeries ends a recurring request, and its first one if that is not paid.
func (s *Service) cancelSeries(ctx context.Context, r *request, who string, now time.Time) error {
	next, err := s.seriesNext(ctx, r.series)
	if err != nil {
		return err
	}
	if err := s.endSeries(ctx, r.series); err != nil {
		return err
	}
	if next > 0 && !r.waits(now) {
		return nil // what was paid stays so
	}
	return r.cancel(who, now)
}

// remind is <remind id=/> of a request, or of all that is not paid of a split.
func (s *Service) remind(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	p, err := s.splitIf(ctx, e.Attr("id"))
	if err != nil {
		return nil, err
	}
	if p != nil {
		return s.remindAll(ctx, who, p)
	}
	r, err := s.requestFor(ctx, who, e)
	if err != nil {
		return nil, err
	}
	away, err := s.unreachable(ctx, who, r.payer)
	if err != nil {
		return nil, err
	}
	return s.changeRequest(ctx, who, e, func(ctx context.Context, r *request, now time.Time) error {
		return s.remindUnless(ctx, r, away, who, now)
	}, reminds)
}

// remindUnless reminds who is asked, unless they block who asked, or have paid that to others of the group.
func (s *Service) remindUnless(ctx context.Context, r *request, away map[string]bool, who string, now time.Time) error {
	if err := s.notPaidInto(ctx, r, 1, now); err != nil {
		return err
	}
	if err := r.remind(who, now); err != nil {
		return err
	}
	if away[r.payer] {
		return noPayee().Because("%s has no wallet here", r.payer)
	}
	return nil
}

// remindAll reminds those who have not paid their part. It refuses where nobody may be reminded now.
func (s *Service) remindAll(ctx context.Context, who string, p *split) (*xmpp.Element, error) {
	now := s.now()
	away, err := s.unreachable(ctx, who, p.people()...)
	if err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if p, err = s.split(ctx, p.id); err != nil {
			return err
		}
		if who != p.maker && who != p.payee {
			return xmpp.Forbidden.Because("only who asked may remind")
		}
		var reminded []*request
		refused := isOver("nothing of it waits to be paid")
		for _, one := range p.shares {
			if one.state == nil || !one.state.waits(now) {
				continue
			}
			if err := s.remindUnless(ctx, one.state, away, who, now); err != nil {
				refused = err
				continue
			}
			if err := s.keepRequest(ctx, one.state); err != nil {
				return err
			}
			reminded = append(reminded, one.state)
		}
		if len(reminded) == 0 {
			return refused
		}
		return s.tellReminded(ctx, p, reminded, now)
	})
	if err != nil {
		return nil, err
	}
	return p.element(now), nil
}

// changeSplit changes all that waits of a split in a transaction, and tells those who have a part.
func (s *Service) changeSplit(ctx context.Context, who, id string, change func(r *request, now time.Time) error, words func(p *split) said) (*xmpp.Element, error) {
	now := s.now()
	var p *split
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if p, err = s.split(ctx, id); err != nil {
			return err
		}
		if who != p.maker && who != p.payee {
			return xmpp.Forbidden.Because("only who asked may do that")
		}
		var changed []*request
		for _, one := range p.shares {
			if one.state == nil || !one.state.waits(now) {
				continue
			}
			if err := change(one.state, now); errors.Is(err, errSame) {
				continue
			} else if err != nil {
				return err
			}
			changed = append(changed, one.state)
			if err := s.keepRequest(ctx, one.state); err != nil {
				return err
			}
		}
		if len(changed) == 0 {
			return nil
		}
		if err := s.tellSplit(ctx, p, now, words(p)); err != nil {
			return err
		}
		for _, r := range changed {
			if err := s.evenWithout(ctx, r, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p.element(now), nil
}

// people are those whom a split concerns, each once.
func (p *split) people() []string {
	all := []string{p.maker, p.payee}
	for _, one := range p.shares {
		all = append(all, one.account)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
