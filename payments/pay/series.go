package pay

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
)

// dueAtOnce is how many things whose time has come are looked for at once.
const dueAtOnce = 100

// derivedID is an id that follows from others, so that what is made anew after a crash is the same. Where somebody knows the others, a secret is among them: nobody is to
// take the id before.
func derivedID(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:22]
}

// recurring is how a request comes again: so many times in all, from when it began.
type recurring struct {
	every string
	times int64
	begun time.Time
}

// last is when it comes the last time, if nobody ends it before.
func (a recurring) last() time.Time { return turn(a.begun, a.every, int(a.times)-1) }

var insertSeries = store.NewInsert("pay_series", "id", "every", "times", "done", "begun", "next")

// addSeries keeps that a new request comes again.
func (s *Service) addSeries(ctx context.Context, r *request) error {
	again := r.again
	return s.db.Append(ctx, insertSeries, r.id, again.every, again.times, int64(1), again.begun.UnixMicro(), turn(again.begun, again.every, 1).UnixMicro())
}

// endSeries makes a request not come again.
func (s *Service) endSeries(ctx context.Context, id string) error {
	if _, err := s.db.Exec(ctx, "update pay_series set next = 0 where id = $1", id); err != nil {
		return fmt.Errorf("end recurring request: %w", err)
	}
	return nil
}

// makeTurns makes the requests whose turn has come, also those of a long outage, each once.
func (s *Service) makeTurns(ctx context.Context) error {
	now := s.now()
	return s.each(ctx, "select id from pay_series where next > 0 and next <= $1 order by next limit $2", now, func(ctx context.Context, id string) error {
		return s.makeTurn(ctx, id, now)
	})
}

// each does something in a transaction of its own for each id that a statement finds for a time, until it finds no more. What is done must take the id out of what is found.
func (s *Service) each(ctx context.Context, find string, now time.Time, do func(ctx context.Context, id string) error) (failed error) {
	for {
		found, err := read(ctx, s.db, "what is due", readText, find, now.UnixMicro(), int64(dueAtOnce))
		if err != nil {
			return err
		}
		for _, id := range found {
			if err := s.db.Tx(ctx, func(ctx context.Context) error { return do(ctx, id) }); err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s is due: %w", id, err)) // it keeps up no other one
			}
		}
		if len(found) == 0 || failed != nil {
			return failed
		}
	}
}

// makeTurn makes the next request of a series, like the first one.
func (s *Service) makeTurn(ctx context.Context, id string, now time.Time) error {
	var done, next int64
	err := s.db.QueryRow(ctx, "select done, next from pay_series where id = $1", id).Scan(&done, &next)
	if err != nil {
		return err
	}
	if next == 0 || next > now.UnixMicro() {
		return nil // it was ended meanwhile
	}
	first, err := s.request(ctx, id)
	if err != nil {
		return err
	}
	r := *first
	r.id, r.turn, r.paid, r.why, r.reminders, r.reminded = derivedID("turn", id, digits(done), string(s.secret.Seed())), done, 0, "", 0, time.Time{}
	r.expires = now.Add(first.expires.Sub(time.UnixMicro(first.made))).Truncate(time.Second)
	next = 0
	if done+1 < r.again.times {
		next = turn(r.again.begun, r.again.every, int(done)+1).UnixMicro()
	}
	if _, err := s.db.Exec(ctx, "update pay_series set done = $1, next = $2 where id = $3", done+1, next, id); err != nil {
		return err
	}
	waiting, err := s.waiting(ctx, r.maker, false)
	if err != nil || waiting >= maxWaiting {
		return err // this turn is left out
	}
	away, err := s.unreachable(ctx, r.maker, r.payer)
	if err != nil || away[r.payer] {
		return err
	}
	if err := s.addRequest(ctx, &r, []byte{}); err != nil {
		return err
	}
	return s.tellRequest(ctx, &r, now, asksFor(&r))
}

// expireRequests ends the requests of which the time is over.
func (s *Service) expireRequests(ctx context.Context) error {
	now := s.now()
	return s.each(ctx, "select id from pay_request where due > 0 and due <= $1 order by due limit $2", now, func(ctx context.Context, id string) error {
		r, err := s.request(ctx, id)
		if err != nil || !r.expire(now) {
			return err
		}
		if err := s.keepRequest(ctx, r); err != nil {
			return err
		}
		if err := s.tellRequest(ctx, r, now, say("late", called(r.payer), called(r.payee), money{r.left(), r.unit, r.about})); err != nil {
			return err
		}
		return s.evenWithout(ctx, r, now)
	})
}

// seriesNext reads when a request comes again; 0 if it does not.
func (s *Service) seriesNext(ctx context.Context, id string) (next int64, err error) {
	err = s.db.QueryRow(ctx, "select next from pay_series where id = $1", id).Scan(&next)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	return next, err
}
