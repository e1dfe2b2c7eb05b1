package pay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// contentOf is the SHA-256 of what somebody has asked for: the same for the same, however it is written.
func contentOf(who string, e *xmpp.Element) []byte {
	sum := sha256.Sum256(appendContent([]byte(who+"\n"), e))
	return sum[:]
}

func appendContent(b []byte, e *xmpp.Element) []byte {
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	text(e.Space)
	text(e.Local)
	attrs := slices.DeleteFunc(slices.Clone(e.Attrs), func(a xmpp.Attr) bool { return a.Space != "" || a.Local == "xmlns" })
	slices.SortFunc(attrs, func(a, b xmpp.Attr) int { return strings.Compare(a.Local, b.Local) })
	b = binary.AppendUvarint(b, uint64(len(attrs)))
	for _, a := range attrs {
		text(a.Local)
		text(a.Value)
	}
	text(e.Text())
	for child := range e.Children() {
		b = append(appendContent(append(b, '<'), child), '>')
	}
	return b
}

// askedBefore looks whether something was asked for under an id already: with the same content it is answered, with another the id is taken.
func (s *Service) askedBefore(ctx context.Context, table, id string, content []byte) (bool, error) {
	var was []byte
	err := s.db.QueryRow(ctx, "select content from "+table+" where id = $1", id).Scan(&was)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look for an id: %w", err)
	case !bytes.Equal(was, content):
		return true, idTaken()
	}
	return true, nil
}

func readRequest(who string, e *xmpp.Element, now time.Time) (*request, error) {
	a := &asked{e: e}
	r := &request{id: a.id("id"), maker: who, payee: who, payer: a.person("payer", ""), amount: a.amount("amount"), unit: a.unit("unit"), about: a.words("for", maxFor),
		expires: a.until("expires", now, maxRequestLife, requestLife), partial: a.yes("partial"), chat: a.optional("chat")}
	if e.Attr("every") != "" {
		r.again = recurring{a.oneOf("every", everyDay, everyWeek, everyMonth), a.number("times", 2, maxTurns, 0), now}
		r.series = r.id
	}
	r.terms = readTerms(a, r, now)
	if r.payer == who {
		a.refuse("payer", "somebody else")
	}
	if r.chat == r.payer || r.chat == r.payee { // it is shown to each in the conversation with the other
		r.chat = ""
	}
	return r, a.err
}

// askRequest is <request/>: somebody asks for money.
func (s *Service) askRequest(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	now := s.now()
	content := contentOf(who, e)
	if done, err := s.askedBefore(ctx, "pay_request", e.Attr("id"), content); err != nil {
		return nil, err
	} else if done { // whatever has changed since, with whom it was asked
		return s.answerRequest(ctx, e.Attr("id"))
	}
	r, err := readRequest(who, e, now)
	if err != nil {
		return nil, err
	}
	if err := s.mayStand(r.chat); err != nil {
		return nil, err
	}
	if err := s.mayAsk(ctx, account, r.unit, r.payer); err != nil {
		return nil, err
	}
	if r.series != "" {
		if err := s.mayComeAgain(r); err != nil {
			return nil, err
		}
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if done, err := s.askedBefore(ctx, "pay_request", r.id, content); done || err != nil {
			return err
		}
		if err := s.mayWait(ctx, who, 1); err != nil {
			return err
		}
		if err := s.addRequest(ctx, r, content); err != nil {
			return err
		}
		if r.series != "" {
			if err := s.addSeries(ctx, r); err != nil {
				return err
			}
		}
		return s.tellRequest(ctx, r, now, asksFor(r))
	})
	if err != nil {
		return nil, err
	}
	return s.answerRequest(ctx, r.id)
}

// mayStand refuses a conversation that is neither a group nor said by the parties: the account of somebody else, under whose name it would stand.
func (s *Service) mayStand(chat string) error {
	if chat == "" {
		return nil
	}
	if at, err := xmpp.ParseJID(chat); err != nil || !at.IsBare() || at.Local() == "" || at.Domain() == s.cfg.Accounts {
		return xmpp.BadRequest.Because("chat: a group")
	}
	return nil
}

// mayAsk refuses to ask for what cannot be paid, and people who block whoever asks, as if they were not there.
func (s *Service) mayAsk(ctx context.Context, asker xmpp.JID, unit string, people ...string) error {
	if s.cfg.unit(unit) == nil {
		return xmpp.NotAcceptable.Because("%s is not paid here", unit)
	}
	for _, who := range people {
		account, err := xmpp.ParseJID(who)
		if err != nil || !s.ours(account) {
			return noPayee().Because("%s has no wallet here", who)
		}
		_, exists, err := s.person(ctx, account)
		if err != nil {
			return err
		}
		shut, err := s.shutOut(ctx, account, asker)
		if err != nil {
			return err
		}
		if !exists || shut {
			return noPayee().Because("%s has no wallet here", who)
		}
	}
	return nil
}

// waiting counts the requests of somebody that wait to be paid, with those that only come again if that is asked.
func (s *Service) waiting(ctx context.Context, who string, again bool) (n int64, err error) {
	where := "due > 0"
	if again {
		where = "(due > 0 or series = id and exists (select 1 from pay_series s where s.id = pay_request.id and s.next > 0))"
	}
	if err := s.db.QueryRow(ctx, "select count(*) from pay_request where maker = $1 and "+where, who).Scan(&n); err != nil {
		return 0, fmt.Errorf("count requests: %w", err)
	}
	return n, nil
}

// mayWait refuses further requests of somebody of whom many wait or come again.
func (s *Service) mayWait(ctx context.Context, who string, more int) error {
	waiting, err := s.waiting(ctx, who, true)
	if err != nil {
		return err
	}
	if waiting+int64(more) > maxWaiting {
		return xmpp.ResourceConstraint.Because("%d requests of yours wait to be paid or come again", waiting)
	}
	return nil
}

// answerRequest is a request as it is now.
func (s *Service) answerRequest(ctx context.Context, id string) (*xmpp.Element, error) {
	r, err := s.request(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.element(s.now()), nil
}

// element is the request as it is told.
func (r *request) element(now time.Time) *xmpp.Element {
	e := element("request").Set("id", r.id).Set("payee", r.payee).Set("payer", r.payer).Set("amount", digits(r.amount)).Set("paid", digits(r.paid)).
		Set("unit", r.unit).Set("expires", intent.FormatTime(r.expires)).Set("state", r.stateAt(now)).Set("time", intent.FormatTime(time.UnixMicro(r.made).UTC().Truncate(time.Second)))
	for _, a := range [][2]string{{"for", r.about}, {"chat", r.chat}, {"split", r.split}, {"series", r.series}, {"why", r.why}} {
		if a[1] != "" {
			e.Set(a[0], a[1])
		}
	}
	if r.partial {
		e.Set("partial", "true")
	}
	if r.series != "" {
		e.Set("turn", digits(r.turn)).Set("every", r.again.every).Set("times", digits(r.again.times)).Set("last", intent.FormatTime(r.again.last().Truncate(time.Second)))
	}
	r.terms.set(e)
	if r.reminders > 0 {
		e.Set("reminders", digits(r.reminders)).Set("reminded", intent.FormatTime(r.reminded))
	}
	return e
}

// getRequest is <request id=/>.
func (s *Service) getRequest(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	r, err := s.requestFor(ctx, who, e)
	if err != nil {
		return nil, err
	}
	return r.element(s.now()), nil
}

// requestFor reads the request that is named by e; for whom it does not concern there is none.
func (s *Service) requestFor(ctx context.Context, who string, e *xmpp.Element) (*request, error) {
	r, err := s.request(ctx, e.Attr("id"))
	if err != nil {
		return nil, err
	}
	if !r.concerns(who) {
		return nil, xmpp.ItemNotFound
	}
	return r, nil
}

const (
	pageSize    = 50
	maxPageSize = 200
)

// getRequests is <requests/>: those that somebody has made or is asked to pay, the newest first.
func (s *Service) getRequests(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	a := &asked{e: e}
	size, state := a.number("max", 1, maxPageSize, pageSize), a.oneOf("state", "", requestOpen, requestPart, requestPaid, requestDeclined, requestCancelled, requestExpired, "waiting")
	if a.err != nil {
		return nil, a.err
	}
	before, err := s.place(ctx, "pay_request", e.Attr("before"))
	if err != nil {
		return nil, err
	}
	now := s.now()
	where := `made in (select made from (select made from pay_request where payee = $1 union select made from pay_request where payer = $1 union select made from pay_request where maker = $1) as mine)
		and made < $2 and ($3 = '' or state = $3 or $3 = 'waiting' and state in ('open', 'part') or $3 = 'expired' and state in ('open', 'part'))
		and ($3 not in ('open', 'part', 'waiting') or expires > $4) and ($3 <> 'expired' or expires <= $4) order by made desc limit $5`
	found, err := s.requests(ctx, where, who, before, state, now.UnixMicro(), size+1)
	if err != nil {
		return nil, err
	}
	return paged(element("requests"), found, size, func(r *request) string { return r.id }, func(r *request) *xmpp.Element { return r.element(now) }), nil
}

// place is where a list goes on: before something that was made, or from its newest.
func (s *Service) place(ctx context.Context, table, before string) (int64, error) {
	if before == "" {
		return 1<<63 - 1, nil
	}
	var made int64
	err := s.db.QueryRow(ctx, "select made from "+table+" where id = $1", before).Scan(&made)
	if errors.Is(err, store.ErrNoRows) {
		return 0, xmpp.ItemNotFound
	}
	return made, err
}

// changeRequest changes a request in a transaction, and tells those whom it concerns.
func (s *Service) changeRequest(ctx context.Context, who string, e *xmpp.Element, change func(ctx context.Context, r *request, now time.Time) error, words func(r *request) said) (*xmpp.Element, error) {
	now := s.now()
	var r *request
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if r, err = s.requestFor(ctx, who, e); err != nil {
			return err
		}
		if err = change(ctx, r, now); errors.Is(err, errSame) {
			return nil
		} else if err != nil {
			return err
		}
		if err = s.keepRequest(ctx, r); err != nil {
			return err
		}
		if err = s.tellRequest(ctx, r, now, words(r)); err != nil {
			return err
		}
		return s.evenWithout(ctx, r, now)
	})
	if err != nil {
		return nil, err
	}
	return r.element(now), nil
}

// decline is <decline id= why=/>. Who declines one of a recurring request is not asked again.
func (s *Service) decline(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	who := account.String()
	a := &asked{e: e}
	why := a.words("why", maxWhy)
	if a.err != nil {
		return nil, a.err
	}
	return s.changeRequest(ctx, who, e, func(ctx context.Context, r *request, now time.Time) error {
		err := r.decline(who, why, now)
		if err == nil && r.series != "" {
			err = s.endSeries(ctx, r.series)
		}
		return err
	}, func(r *request) said {
		if r.kind != "" {
			return say("declinesTerms", called(r.payer), called(r.payee))
		}
		return say("declines", called(r.payer), called(r.payee), money{r.left(), r.unit, r.about})
	})
}
