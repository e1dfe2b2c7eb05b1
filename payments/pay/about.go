package pay

import (
	"context"
	"encoding/base64"

	"palabre.dev/palabre/xmpp"
)

// offers says what can be paid here, with which limits and fees.
func (s *Service) offers(context.Context, xmpp.JID, *xmpp.Element) (*xmpp.Element, error) {
	e := element("about").Add(xmpp.NewText(NS, "key", base64.RawURLEncoding.EncodeToString(s.Key())))
	for _, u := range s.cfg.Units {
		unit, _ := s.ledger.Unit(u.Code)
		one := element("unit", "code", u.Code, "name", unit.Name).Set("exponent", digits(int64(unit.Exponent)))
		if u.Closed {
			one.Set("closed", "true")
		}
		if u.Offline > 0 {
			one.Set("offline", digits(u.Offline))
		}
		e.Add(one)
		for _, f := range u.Fees {
			e.Add(element("fee", "unit", u.Code, "kind", f.Kind).Set("fixed", digits(f.Fixed)).Set("share", digits(f.Share)).Set("most", digits(f.Most)))
		}
	}
	for _, level := range s.cfg.Levels {
		one := element("level", "name", level)
		for _, u := range s.cfg.Units {
			if limit, any := u.limit(level); any {
				one.Add(element("limit", "unit", u.Code).Set("transaction", digits(limit.Transaction)).Set("day", digits(limit.Day)))
			}
		}
		e.Add(one)
	}
	if s.rails == nil {
		return e, nil
	}
	for _, offer := range s.rails.Offers() {
		one := element("rail", "name", offer.Name, "unit", offer.Unit, "kind", offer.Kind, "title", offer.Title)
		for _, way := range []struct {
			name string
			can  bool
		}{{"in", offer.In}, {"out", offer.Out}} {
			if way.can {
				one.Set(way.name, "true")
			}
		}
		e.Add(one)
	}
	return e, nil
}

// lookup says what became of an id. An account sees what it takes part in.
func (s *Service) lookup(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	p, err := s.payment(ctx, payload.Attr("id"))
	if err != nil {
		return nil, err
	}
	if p == nil || !p.has(account) {
		return nil, xmpp.ItemNotFound
	}
	e := p.element()
	return e, s.addStanding(ctx, p, e)
}
