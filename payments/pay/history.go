package pay

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/xmpp"
)

const (
	historyPage = 50  // payments, where nothing else is said
	historyMost = 100 // in one answer
	maxSearch   = 64  // bytes
)

// history answers payments that an account takes part in, the newest first: of a unit, about something (of), in a state, within times, with words, before the payment of an id. More is
// the id before which the next page begins.
func (s *Service) history(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	where, args := "l.account = $1", []any{account.String()}
	add := func(condition string, value any) {
		args = append(args, value)
		where += " and " + strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args)))
	}
	if unit := payload.Attr("unit"); unit != "" {
		add("l.unit = ?", unit)
	}
	if of := payload.Attr("of"); of != "" {
		add("p.target = ?", of)
	}
	if state := payload.Attr("state"); state != "" {
		add("p.state = ?", state)
	}
	for _, bound := range []struct{ name, condition string }{{"since", "l.time >= ?"}, {"until", "l.time < ?"}} {
		if text := payload.Attr(bound.name); text != "" {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return nil, badText("%s is a time", bound.name)
			}
			add(bound.condition, at.UnixMicro())
		}
	}
	q := strings.ToLower(payload.Attr("q"))
	if len(q) > maxSearch || !utf8.ValidString(q) {
		return nil, badText("q has at most %d bytes", maxSearch)
	}
	for word := range strings.FieldsSeq(q) {
		add(`l.words like ? escape '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(word)+"%")
	}
	if before := payload.Attr("before"); before != "" {
		at, err := s.lineOf(ctx, account, before)
		if err != nil {
			return nil, err
		}
		add("l.time < ?", at)
	}
	most, err := pageOf(payload)
	if err != nil {
		return nil, err
	}
	args = append(args, most+1)
	found, err := s.payments(ctx, "join pay_line l on l.id = p.id where "+where+" order by l.time desc, l.id desc limit $"+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, err
	}
	return paged(element("history"), found, int64(most), func(p *payment) string { return p.ID }, (*payment).element), nil
}

// pageOf is how many things are asked for.
func pageOf(payload *xmpp.Element) (int, error) {
	text := payload.Attr("max")
	if text == "" {
		return historyPage, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, badText("max is a number")
	}
	return min(n, historyMost), nil
}

// lineOf is when a payment is in the history of an account.
func (s *Service) lineOf(ctx context.Context, account xmpp.JID, id string) (at int64, err error) {
	err = s.db.QueryRow(ctx, "select l.time from pay_line l join pay_payment p on p.id = l.id and p.time = l.time where l.account = $1 and l.id = $2", account.String(), id).Scan(&at)
	if noRows(err) {
		return 0, xmpp.ItemNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("read history: %w", err)
	}
	return at, nil
}
