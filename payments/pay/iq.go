package pay

import (
	"context"
	"errors"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// handler answers one request of an account.
type handler func(s *Service, ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error)

// gets and sets are who answers what.
var (
	gets = map[string]handler{
		"about":   (*Service).offers,
		"lookup":  (*Service).lookup,
		"wallet":  (*Service).wallet,
		"quote":   (*Service).quote,
		"history": (*Service).history,

		"request": (*Service).getRequest, "requests": (*Service).getRequests, "split": (*Service).getSplit, "splits": (*Service).getSplits, "debts": (*Service).getDebts,
		"mandates": (*Service).getMandates, "dispute": (*Service).getDispute, "disputes": (*Service).getDisputes,
	}
	sets = map[string]handler{
		"pay":    (*Service).pay,
		"order":  (*Service).order,
		"key":    (*Service).addKey,
		"unlock": (*Service).unlock,
		"freeze": (*Service).freeze,
		"cashin": (*Service).cashin,

		"request": (*Service).askRequest, "decline": (*Service).decline, "cancel": (*Service).cancel, "remind": (*Service).remind, "split": (*Service).askSplit,
		"dispute": (*Service).askDispute, "evidence": (*Service).askEvidence, "settle": (*Service).settle,
	}
)

// HandleIQ answers a request: from is who asks, as the network has authenticated it; set says that it is one, otherwise it is a get; payload is the element of NS.
// An error is always an *xmpp.Error. One of type wait says that nothing is known about what was asked for: look it up, or ask again with the same id.
func (s *Service) HandleIQ(ctx context.Context, from xmpp.JID, set bool, payload *xmpp.Element) (*xmpp.Element, error) {
	if payload == nil || payload.Space != NS {
		return nil, xmpp.ServiceUnavailable
	}
	handlers := gets
	if set {
		handlers = sets
	}
	handle := handlers[payload.Local]
	if handle == nil {
		return nil, xmpp.FeatureNotImplemented
	}
	account := from.Bare()
	who := account.String()
	if payload.Local == "pay" {
		who = "" // counts what is new to it
	}
	return s.answerAs(ctx, account, who, set, payload, handle)
}

// answerAs answers a request by a handler. who is as whom it is counted how often is asked, empty where the handler counts.
func (s *Service) answerAs(ctx context.Context, account xmpp.JID, who string, set bool, payload *xmpp.Element, handle handler) (*xmpp.Element, error) {
	if payload == nil || payload.Space != NS {
		return nil, xmpp.ServiceUnavailable
	}
	if !s.ours(account) {
		return nil, xmpp.Forbidden.Because("only accounts of %s have a wallet here", s.cfg.Accounts)
	}
	if err := written(payload); err != nil {
		return nil, err
	}
	if set && who != "" {
		if err := s.mayAskNow(who, payload.Local); err != nil {
			return nil, err
		}
	}
	answer, err := s.unlessGone(handle)(s, ctx, account, payload)
	if set {
		s.wake()
	}
	if err == nil {
		return answer, nil
	}
	var wire *xmpp.Error
	if errors.As(err, &wire) {
		return nil, wire
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, ledger.ErrClosed) && !errors.Is(err, store.ErrClosed) {
		s.log.Error("request of payments failed", "account", account.String(), "request", payload.Local, "err", err)
	}
	return nil, refusal(&xmpp.Error{Type: "wait", Condition: "internal-server-error"}, "closed")
}

// element makes an element of the protocol; attributes are names and values.
func element(name string, attributes ...string) *xmpp.Element {
	e := xmpp.NewElement(NS, name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			e.Set(attributes[i], attributes[i+1])
		}
	}
	return e
}

// refusal is an error with one of the protocol's own conditions, which has these attributes.
func refusal(err *xmpp.Error, condition string, attributes ...string) *xmpp.Error {
	return err.With(element(condition, attributes...))
}
