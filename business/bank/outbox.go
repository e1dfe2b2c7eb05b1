package bank

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/xmpp"
)

// saying is one thing to say.
type saying struct {
	number   int64
	id       string
	customer string
	clear    bool
	body     string
	tries    int
	made     time.Time
}

// say writes down an answer to a message, in the transaction of ctx: in clear to who wrote in clear.
func (b *Bot) say(ctx context.Context, m *message, body string) error {
	clear := int64(0)
	if m.device == "" {
		clear = 1
	}
	number := b.db.Next()
	_, err := b.db.Exec(ctx, "insert into bank_outbox (number, id, customer, clear, body, tries, due, made) values ($1, $2, $3, $4, $5, 0, 0, $1)",
		number, "bank-"+strconv.FormatInt(number, 36), m.customer, clear, body)
	if err != nil {
		return fmt.Errorf("bank: keep an answer: %w", err)
	}
	return nil
}

// spoken drops what the server has.
func (b *Bot) spoken(ctx context.Context, id string) error {
	_, err := b.db.Exec(ctx, "delete from bank_outbox where id = $1", id)
	return err
}

// speakAll says what is to be said, until ctx ends. It begins when what was missed is read, for that tells what had been said.
func (b *Bot) speakAll(ctx context.Context) {
	select {
	case <-b.caught:
	case <-ctx.Done():
		return
	}
	for {
		next, err := b.nextSaying(ctx)
		switch {
		case err != nil:
			b.log.Warn("answers cannot be read", "err", err)
			if !wait(ctx, firstPause, nil) {
				return
			}
		case next == nil:
			if !wait(ctx, firstPause, b.speak) {
				return
			}
		default:
			if err := b.speakOne(ctx, next); err != nil && ctx.Err() == nil {
				b.log.Warn("not said yet", "err", err)
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// nextSaying is the oldest that is due and that nothing to the same customer stands before.
func (b *Bot) nextSaying(ctx context.Context) (*saying, error) {
	rows, err := b.db.Query(ctx, `select number, id, customer, clear, body, tries, made from bank_outbox o where due <= $1
		and not exists (select 1 from bank_outbox p where p.customer = o.customer and p.number < o.number) order by number limit 1`, b.now().UnixMicro())
	if err != nil || !rows.Next() {
		return nil, err
	}
	var s saying
	var clear, made int64
	if err := rows.Scan(&s.number, &s.id, &s.customer, &clear, &s.body, &s.tries, &made); err != nil {
		return nil, err
	}
	s.clear, s.made = clear == 1, time.UnixMicro(made)
	return &s, nil
}

// speakOne says one thing. If it was tried before, the archive tells whether it had arrived.
func (b *Bot) speakOne(ctx context.Context, s *saying) error {
	call, cancel := context.WithTimeout(ctx, sayTimeout)
	defer cancel()
	if s.tries > 0 {
		there, err := b.arrived(call, s)
		if err != nil {
			return b.later(ctx, s, err)
		}
		if there {
			return b.spoken(ctx, s.id)
		}
	}
	st, err := b.stanza(call, s)
	if errors.Is(err, e2e.ErrNoDevices) && b.now().Sub(s.made) > maxSay {
		return b.spoken(ctx, s.id)
	}
	if err != nil {
		return b.later(ctx, s, err)
	}
	if _, err := b.db.Exec(ctx, "update bank_outbox set tries = tries + 1 where number = $1", s.number); err != nil {
		return err
	}
	b.step("saying")
	if err := b.c.SendAcked(call, st); err != nil {
		return b.later(ctx, s, err)
	}
	b.step("said")
	return b.spoken(ctx, s.id)
}

func (b *Bot) stanza(ctx context.Context, s *saying) (*xmpp.Stanza, error) {
	to, err := xmpp.ParseJID(s.customer)
	if err != nil {
		return nil, err
	}
	if s.clear {
		st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: to, ID: s.id}
		return st.Add(xmpp.NewText(xmpp.NSClient, "body", s.body)), nil
	}
	st, _, err := b.device.Encrypt(ctx, to, s.body)
	if err != nil {
		return nil, err
	}
	st.ID = s.id
	return st, nil
}

// later puts off what could not be said, longer each time.
func (b *Bot) later(ctx context.Context, s *saying, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	pause := min(firstPause<<min(s.tries, 10), lastPause)
	if _, err := b.db.Exec(ctx, "update bank_outbox set tries = tries + 1, due = $1 where number = $2", b.now().Add(pause).UnixMicro(), s.number); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

// arrived looks for an answer in the bank's own archive, from when it was written on.
func (b *Bot) arrived(ctx context.Context, s *saying) (bool, error) {
	with, err := xmpp.ParseJID(s.customer)
	if err != nil {
		return false, err
	}
	query := client.ArchiveQuery{With: with, Start: s.made.Add(-time.Minute), Max: client.MaxPage}
	for range 40 {
		page, err := b.c.Archive(ctx, query)
		if err != nil {
			return false, fmt.Errorf("bank: look whether an answer was sent: %w", err)
		}
		for _, entry := range page.Entries {
			if entry.Message.ID == s.id && entry.Message.From.Bare() == b.c.Account() {
				return true, nil
			}
		}
		if page.Complete || len(page.Entries) == 0 {
			return false, nil
		}
		query.After = page.Last
	}
	return false, nil
}
