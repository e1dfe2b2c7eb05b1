package bank

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/omemo"
)

// message is one that was heard and is to be answered.
type message struct {
	number   int64
	customer string
	id       string
	device   string // "" for one in clear
	body     string
	heard    time.Time
}

// take keeps one letter: what it says, and that the archive was read so far, in one step.
func (b *Bot) take(ctx context.Context, letter client.Letter) error {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if b.device.Notice(ctx, letter.Message) {
		return b.pass(ctx, letter, nil)
	}
	if letter.Sent {
		return b.pass(ctx, letter, func(ctx context.Context) error { return b.spoken(ctx, letter.Message.ID) })
	}
	m, err := b.open(ctx, letter)
	if err != nil {
		return err
	}
	if m == nil {
		return b.pass(ctx, letter, nil)
	}
	b.step("opened")
	if err := b.pass(ctx, letter, func(ctx context.Context) error { return b.keep(ctx, m) }); err != nil {
		return err
	}
	b.step("kept")
	signal(b.work)
	if receipt := client.ReceiptFor(letter.Message); receipt != nil && !letter.Archived {
		return b.c.Send(ctx, receipt)
	}
	return nil
}

// open decrypts a letter; nil for what is not to be answered.
func (b *Bot) open(ctx context.Context, letter client.Letter) (*message, error) {
	st := letter.Message
	if st.Type != "chat" && st.Type != "" && st.Type != "normal" || st.From.Local() == "" {
		return nil, nil
	}
	m := &message{customer: st.From.Bare().String(), id: messageID(letter), heard: b.now()}
	opened, err := b.device.Decrypt(ctx, st, letter.Mark.ID)
	switch {
	case errors.Is(err, e2e.ErrClear):
		m.body = st.Body()
	case errors.Is(err, omemo.ErrNotForUs), errors.Is(err, omemo.ErrDuplicate):
		return nil, nil
	case err != nil && (ctx.Err() != nil || errors.Is(err, omemo.ErrState)):
		return nil, err
	case err != nil:
		b.log.Info("a message cannot be read", "account", m.customer, "err", err)
		return nil, nil
	default:
		m.body, m.device = opened.Body, hex.EncodeToString(opened.Identity[:])
	}
	if strings.TrimSpace(m.body) == "" || m.id == "" {
		return nil, nil
	}
	return m, nil
}

// messageID is what the sender calls a message, the archive's name of it if the sender has none.
func messageID(letter client.Letter) string {
	id := letter.Message.ID
	if id == "" {
		id = letter.Mark.ID
	}
	if len(id) > 200 {
		return ""
	}
	return id
}

// pass notes that a letter is done with, together with what do writes.
func (b *Bot) pass(ctx context.Context, letter client.Letter, do func(ctx context.Context) error) error {
	return b.db.Tx(ctx, func(ctx context.Context) error {
		if letter.Mark.ID != "" {
			if _, err := b.db.Exec(ctx, `insert into bank_mark (one, entry, kept) values (1, $1, $2)
				on conflict (one) do update set entry = excluded.entry, kept = excluded.kept`, letter.Mark.ID, letter.Mark.Time.UnixMicro()); err != nil {
				return fmt.Errorf("bank: note how far the archive was read: %w", err)
			}
		}
		if do == nil {
			return nil
		}
		return do(ctx)
	})
}

// mark is how far the archive was read. The first time it is noted that there was nothing before now: a bot that is killed with its first message must find
// that one again.
func (b *Bot) mark(ctx context.Context) (mark client.Mark, err error) {
	err = b.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := b.db.Exec(ctx, "insert into bank_mark (one, entry, kept) values (1, '', $1) on conflict do nothing", b.now().UnixMicro()); err != nil {
			return err
		}
		var kept int64
		err := b.db.QueryRow(ctx, "select entry, kept from bank_mark where one = 1").Scan(&mark.ID, &kept)
		mark.Time = time.UnixMicro(kept)
		return err
	})
	if err != nil {
		return mark, fmt.Errorf("bank: read how far the archive was read: %w", err)
	}
	return mark, nil
}

// keep writes a message down to be answered, unless it was heard before or the customer says too much.
func (b *Bot) keep(ctx context.Context, m *message) error {
	at := m.heard.UnixMicro()
	added, err := b.db.Exec(ctx, "insert into bank_heard (customer, message, heard) values ($1, $2, $3) on conflict do nothing", m.customer, m.id, at)
	if err != nil || added == 0 {
		return err
	}
	var lately int
	if err := b.db.QueryRow(ctx, "select count(*) from bank_heard where customer = $1 and heard > $2", m.customer, m.heard.Add(-time.Minute).UnixMicro()).
		Scan(&lately); err != nil {
		return fmt.Errorf("bank: count messages: %w", err)
	}
	if lately > b.cfg.MaxMinute {
		if lately > b.cfg.MaxMinute+1 {
			return nil
		}
		language, err := b.language(ctx, m.customer)
		if err != nil {
			return err
		}
		return b.say(ctx, m, phrases[language].slower)
	}
	_, err = b.db.Exec(ctx, "insert into bank_inbox (number, customer, message, device, body, heard) values ($1, $2, $3, $4, $5, $6)",
		b.db.Next(), m.customer, m.id, m.device, m.body, at)
	return err
}

// forgetOld drops what was heard long ago, once in an hour.
func (b *Bot) forgetOld(ctx context.Context) {
	for {
		before := b.now().Add(-keepHeard).UnixMicro()
		if _, err := b.db.Exec(ctx, "delete from bank_heard where heard < $1", before); err != nil && ctx.Err() == nil {
			b.log.Warn("old messages are not forgotten", "err", err)
		}
		if !wait(ctx, time.Hour, nil) {
			return
		}
	}
}
