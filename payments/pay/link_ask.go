package pay

import (
	"context"
	"errors"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// linked is what whoever has a link may ask about: in the name of an account, the wallet or one thing.
type linked struct {
	account xmpp.JID
	about   thing
	code    string   // the link's own, by which it is counted what it is used for
	request *request // that the account may pay with it; nil if there is none
}

const walletLink = "wallet" // the id of what a link is about that is about no single thing

// HandleLink answers a request of whoever has a link, by its token: to see what it is about, to pay or decline that, and to make a key for it and use it; with that of a wallet to
// see it and to freeze it. It is like HandleIQ, and returns ErrLink for a token that is good no more, xmpp.Forbidden for anything else that is asked.
func (s *Service) HandleLink(ctx context.Context, token string, set bool, payload *xmpp.Element) (*xmpp.Element, error) {
	account, about, err := s.opens(token)
	if err != nil {
		return nil, err
	}
	l := &linked{account: account, about: about, code: token[len(token)-linkCodeLength:]}
	ask := (*linked).asksToSee
	if set {
		ask = (*linked).asksToDo
	}
	return s.answerAs(ctx, account, "link "+account.String(), set, payload, func(s *Service, ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
		if l.request, err = s.payableBy(ctx, l); err != nil {
			return nil, err
		}
		return ask(l, s, ctx, payload)
	})
}

// payableBy is the request that the account of a link is to pay by it: the one that it is about, or its own share of the split that it is about.
func (s *Service) payableBy(ctx context.Context, l *linked) (*request, error) {
	id := ""
	switch l.about.kind {
	case linkRequest:
		id = l.about.id
	case linkSplit:
		p, err := s.splitIf(ctx, l.about.id)
		if err != nil || p == nil {
			return nil, err
		}
		for _, one := range p.shares {
			if one.account == l.account.String() {
				id = one.request
			}
		}
	}
	if id == "" {
		return nil, nil
	}
	r, err := s.request(ctx, id)
	if errors.Is(err, xmpp.ItemNotFound) {
		return nil, nil
	}
	if err != nil || r.payer != l.account.String() || r.kind != "" {
		return nil, err
	}
	return r, nil
}

// asksToSee answers what shows something: no more than is needed to decide about one payment.
func (l *linked) asksToSee(s *Service, ctx context.Context, payload *xmpp.Element) (*xmpp.Element, error) {
	own := payload.Attr("id") == l.about.id
	switch what := payload.Local; {
	case what == "about":
		return s.offers(ctx, l.account, payload)
	case what == "wallet" && l.about.kind == linkWallet:
		return s.wallet(ctx, l.account, payload)
	case what == "wallet" && l.request != nil:
		return s.keyState(ctx, l.account, payload.Attr("key"))
	case what == "lookup" && own && l.about.kind == linkPayment:
		return s.lookup(ctx, l.account, payload)
	case what == "request" && own && l.about.kind == linkRequest:
		return s.getRequest(ctx, l.account, payload)
	case what == "split" && own && l.about.kind == linkSplit:
		return l.ownShare(s, ctx, payload)
	case (what == "lookup" || what == "request" || what == "split") && own:
		return nil, xmpp.ItemNotFound // it is about something else, and the page asks for all three
	case what == "quote" && l.quotes(s, payload):
		return s.quote(ctx, l.account, payload)
	}
	return nil, xmpp.Forbidden
}

// quotes says whether a quote is of what the link is about: another amount would tell what is in the wallet.
func (l *linked) quotes(s *Service, payload *xmpp.Element) bool {
	r := l.request
	return r != nil && r.waits(s.now()) && payload.Attr("kind") == string(intent.Send) && payload.Attr("payee") == r.payee && payload.Attr("unit") == r.unit &&
		payload.Attr("of") == r.id && payload.Attr("amount") == digits(r.left())
}

// ownShare is the split that a link is about, with the share of its account alone.
func (l *linked) ownShare(s *Service, ctx context.Context, payload *xmpp.Element) (*xmpp.Element, error) {
	whole, err := s.getSplit(ctx, l.account, payload)
	if err != nil {
		return nil, err
	}
	e := xmpp.NewElement(NS, whole.Local)
	e.Attrs = whole.Attrs
	for one := range whole.Children() {
		if one.Attr("jid") == l.account.String() {
			e.Add(one)
		}
	}
	return e, nil
}

// keyState says of one key of an account whether it works, and of the wallet whether it is frozen: nothing of what is in it.
func (s *Service) keyState(ctx context.Context, account xmpp.JID, id string) (*xmpp.Element, error) {
	w, err := s.walletOf(ctx, account)
	if err != nil {
		return nil, err
	}
	e := element("wallet")
	if !w.frozen.IsZero() {
		e.Set("frozen", "true")
	}
	keys, err := s.keys(ctx, account, "and k.dropped = 0 and k.id = $2", id)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		e.Add(element("key", "id", k.id, "kind", k.kind, "ready", intent.FormatTime(atMicro(k.ready))))
	}
	return e, nil
}

// asksToDo does what changes something.
func (l *linked) asksToDo(s *Service, ctx context.Context, payload *xmpp.Element) (*xmpp.Element, error) {
	switch what := payload.Local; {
	case what == "freeze" && l.about.kind == linkWallet:
		return s.freeze(ctx, l.account, payload)
	case what == "decline" && l.about.kind == linkRequest && payload.Attr("id") == l.about.id:
		return s.decline(ctx, l.account, payload)
	case l.request == nil:
		return nil, xmpp.Forbidden
	case what == "pay" && pays(payload) == l.request.id:
		return s.payByLink(ctx, l.account, payload)
	case what == "unlock":
		return s.unlockBy(ctx, l.account, payload, l)
	case what == "key" && payload.Child(NS, "text") == nil:
		k, err := readKey(l.account, payload)
		if err != nil {
			return nil, err
		}
		k.byLink = true
		if err := s.db.Tx(ctx, func(ctx context.Context) error { return s.insertKey(ctx, k, nil) }); err != nil {
			return nil, err
		}
		return s.keyState(ctx, l.account, k.id)
	}
	return nil, xmpp.Forbidden
}

// pays is the id of the request that a payment pays, empty for anything else.
func pays(payload *xmpp.Element) string {
	i, err := intent.Parse(payload.ChildText(NS, "intent"))
	if err != nil || i.Kind != intent.Send {
		return ""
	}
	return i.Of
}
