package pay

import (
	"context"
	"fmt"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const requestColumns = "id, made, maker, payee, payer, amount, paid, unit, about, expires, partial, state, why, chat, split, series, turn, reminders, reminded, agreed, bound, kind, total, period, until, " +
	"coalesce(every, ''), coalesce(times, 0), coalesce(begun, 0)"

// requestRows are requests, each with how it comes again, if it does.
const requestRows = "pay_request left join (select id as first, every, times, begun from pay_series) as again on first = series"

func scanRequest(row *store.Rows) (*request, error) {
	r := &request{}
	var expires, reminded, until, begun int64
	err := row.Scan(&r.id, &r.made, &r.maker, &r.payee, &r.payer, &r.amount, &r.paid, &r.unit, &r.about, &expires, &r.partial, &r.state, &r.why, &r.chat, &r.split,
		&r.series, &r.turn, &r.reminders, &reminded, &r.agreed, &r.bound, &r.kind, &r.total, &r.period, &until, &r.again.every, &r.again.times, &begun)
	if until != 0 {
		r.until = atMicro(until)
	}
	r.expires, r.reminded, r.again.begun = atMicro(expires), atMicro(reminded), atMicro(begun)
	return r, err
}

// request reads a request; item-not-found if there is none.
func (s *Service) request(ctx context.Context, id string) (*request, error) {
	found, err := s.requests(ctx, "id = $1", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, xmpp.ItemNotFound
	}
	return found[0], nil
}

// requests reads requests that a condition picks.
func (s *Service) requests(ctx context.Context, where string, args ...any) ([]*request, error) {
	return read(ctx, s.db, "requests", scanRequest, "select "+requestColumns+" from "+requestRows+" where "+where, args...)
}

var insertRequest = store.NewInsert("pay_request", "id", "made", "content", "maker", "payee", "payer", "amount", "paid", "unit", "about", "expires", "partial", "state", "why",
	"chat", "split", "series", "turn", "reminders", "reminded", "due", "kind", "total", "period", "until")

// addRequest writes a new request.
func (s *Service) addRequest(ctx context.Context, r *request, content []byte) error {
	r.made, r.state = s.db.Next(), requestOpen
	return s.db.Append(ctx, insertRequest, r.id, r.made, content, r.maker, r.payee, r.payer, r.amount, r.paid, r.unit, r.about, r.expires.UnixMicro(), r.partial, r.state, r.why,
		r.chat, r.split, r.series, r.turn, r.reminders, int64(0), r.expires.UnixMicro(), string(r.kind), r.total, r.period, micro(r.until))
}

// keepRequest writes what of a request changes.
func (s *Service) keepRequest(ctx context.Context, r *request) error {
	due := r.expires.UnixMicro()
	if r.state != requestOpen && r.state != requestPart {
		due = 0
	}
	_, err := s.db.Exec(ctx, "update pay_request set paid = $1, state = $2, why = $3, reminders = $4, reminded = $5, due = $6 where id = $7",
		r.paid, r.state, r.why, r.reminders, r.reminded.UnixMicro(), due, r.id)
	if err != nil {
		return fmt.Errorf("keep request: %w", err)
	}
	return nil
}
