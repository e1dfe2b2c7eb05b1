package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const requestColumns = "id, made, maker, payee, payer, amount, paid, unit, about, expires, partial, state, why, chat, split, series, turn, reminders, reminded, agreed"

func (r *request) scan(row interface{ Scan(...any) error }) error {
	var expires, reminded int64
	err := row.Scan(&r.id, &r.made, &r.maker, &r.payee, &r.payer, &r.amount, &r.paid, &r.unit, &r.about, &expires, &r.partial, &r.state, &r.why, &r.chat, &r.split,
		&r.series, &r.turn, &r.reminders, &reminded, &r.agreed)
	r.expires, r.reminded = time.UnixMicro(expires).UTC(), time.UnixMicro(reminded).UTC()
	return err
}

// request reads a request; item-not-found if there is none.
func (s *Service) request(ctx context.Context, id string) (*request, error) {
	r := &request{}
	err := r.scan(s.db.QueryRow(ctx, "select "+requestColumns+" from pay_request where id = $1", id))
	if errors.Is(err, store.ErrNoRows) {
		return nil, xmpp.ItemNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	return r, nil
}

// requests reads requests that a condition picks.
func (s *Service) requests(ctx context.Context, where string, args ...any) (found []*request, err error) {
	rows, err := s.db.Query(ctx, "select "+requestColumns+" from pay_request where "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	for rows.Next() {
		r := &request{}
		if err := r.scan(rows); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		found = append(found, r)
	}
	return found, nil
}

var insertRequest = store.NewInsert("pay_request", "id", "made", "content", "maker", "payee", "payer", "amount", "paid", "unit", "about", "expires", "partial", "state", "why",
	"chat", "split", "series", "turn", "reminders", "reminded", "due")

// addRequest writes a new request.
func (s *Service) addRequest(ctx context.Context, r *request, content []byte) error {
	r.made, r.state = s.db.Next(), requestOpen
	return s.db.Append(ctx, insertRequest, r.id, r.made, content, r.maker, r.payee, r.payer, r.amount, r.paid, r.unit, r.about, r.expires.UnixMicro(), r.partial, r.state, r.why,
		r.chat, r.split, r.series, r.turn, r.reminders, int64(0), r.expires.UnixMicro())
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
