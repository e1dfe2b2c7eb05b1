package bank

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"palabre.dev/palabre/store"
)

// talk is what is remembered of a conversation.
type talk struct {
	language Language
	wrong    int
	locked   time.Time
	used     int64
}

// turn is the answering of one message.
type turn struct {
	b       *Bot
	m       *message
	u       understood
	t       talk
	p       phrasebook
	account Account
}

// answer is what a turn comes to: what is said, and what is written in the same transaction.
type answer struct {
	say   string
	write func(ctx context.Context) error
}

func says(format string, args ...any) answer { return answer{say: fmt.Sprintf(format, args...)} }

// answerAll answers what is kept, until ctx ends: several customers at the same time, each one's messages one after the other.
func (b *Bot) answerAll(ctx context.Context) {
	free := make(chan struct{}, workers)
asking:
	for wait(ctx, firstPause, b.work) {
		rows, err := b.db.Query(ctx, "select customer from bank_inbox group by customer order by min(number) limit 1000")
		if err != nil {
			b.log.Warn("messages cannot be read", "err", err)
			continue
		}
		for rows.Next() {
			var customer string
			if err := rows.Scan(&customer); err != nil {
				b.log.Warn("messages cannot be read", "err", err)
				break
			}
			if !b.begin(customer) {
				continue
			}
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				break asking
			}
			go func() {
				defer func() { <-free }()
				b.answerCustomer(ctx, customer)
			}()
		}
	}
	for range workers {
		free <- struct{}{} // wait for those who still answer
	}
}

// begin marks a customer as being answered; false if that is so already.
func (b *Bot) begin(customer string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy[customer] {
		return false
	}
	b.busy[customer] = true
	return true
}

func (b *Bot) answerCustomer(ctx context.Context, customer string) {
	defer func() {
		b.mu.Lock()
		delete(b.busy, customer)
		b.mu.Unlock()
	}()
	for ctx.Err() == nil {
		m, err := b.oldest(ctx, customer)
		if err == nil && m == nil {
			return
		}
		if err == nil {
			err = b.answer(ctx, m)
		}
		if err != nil {
			if ctx.Err() == nil {
				b.log.Warn("a message is not answered yet", "account", customer, "err", err)
			}
			return
		}
	}
}

func (b *Bot) oldest(ctx context.Context, customer string) (*message, error) {
	m := &message{customer: customer}
	var heard int64
	err := b.db.QueryRow(ctx, "select number, message, device, body, heard from bank_inbox where customer = $1 order by number limit 1", customer).
		Scan(&m.number, &m.id, &m.device, &m.body, &heard)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	m.heard = time.UnixMicro(heard)
	return m, err
}

// answer works on one message, and keeps what is to be said together with the end of the work.
func (b *Bot) answer(ctx context.Context, m *message) error {
	t, err := b.talk(ctx, m.customer)
	if err != nil {
		return err
	}
	turn := &turn{b: b, m: m, t: t, u: understand(m.body, t.language)}
	if turn.u.language != "" {
		turn.t.language = turn.u.language
	}
	turn.p = phrases[turn.t.language]
	a, err := turn.find(ctx)
	if err != nil {
		return err
	}
	b.step("found")
	err = b.db.Tx(ctx, func(ctx context.Context) error {
		gone, err := b.db.Exec(ctx, "delete from bank_inbox where number = $1", m.number)
		if err != nil || gone == 0 {
			return err
		}
		if a.write != nil {
			if err := a.write(ctx); err != nil {
				return err
			}
		}
		if err := b.keepTalk(ctx, m.customer, turn.t); err != nil {
			return err
		}
		if a.say == "" {
			return nil
		}
		return b.say(ctx, m, a.say)
	})
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	b.step("answered")
	signal(b.speak)
	signal(b.drive)
	return nil
}

// find is the answer to a message.
func (t *turn) find(ctx context.Context) (answer, error) {
	if t.m.device == "" {
		return says("%s", t.p.encrypt), nil
	}
	var err error
	call, cancel := t.b.bounded(ctx)
	defer cancel()
	if t.account, err = t.b.connector.Account(call, t.m.customer); errors.Is(err, ErrNoCustomer) {
		return says(t.p.stranger, t.b.cfg.Name), nil
	} else if err != nil {
		return t.away(ctx, err)
	}
	ready, err := t.b.meet(ctx, t.m, t.p)
	if err != nil {
		return answer{}, err
	}
	switch t.u.wish {
	case askHelp:
		return says(t.p.help, t.b.cfg.Name), nil
	case askBalance:
		return says(t.p.balance, t.account.Number, t.money(t.account.Balance)), nil
	case askLines:
		return t.lines(ctx)
	case askSend:
		return t.order(ctx, ready)
	case sayYes, sayNo, sayCode:
		return t.confirm(ctx)
	}
	return says("%s", t.p.unclear), nil
}

// away is the answer when the books cannot be asked; it is final, so that nobody waits for something that comes as a surprise later.
func (t *turn) away(ctx context.Context, cause error) (answer, error) {
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	t.b.log.Warn("the books cannot be asked", "err", cause)
	return says("%s", t.p.away), nil
}

func (t *turn) money(minor int64) string {
	return t.t.language.money(minor, t.account.Unit, t.account.Exponent)
}

func (t *turn) lines(ctx context.Context) (answer, error) {
	call, cancel := t.b.bounded(ctx)
	defer cancel()
	lines, err := t.b.connector.Lines(call, t.m.customer, t.u.count)
	if err != nil {
		return t.away(ctx, err)
	}
	if len(lines) == 0 {
		return says("%s", t.p.noLines), nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, t.p.lines, len(lines), t.account.Number)
	for _, line := range lines {
		other := fmt.Sprintf(t.p.lineFrom, line.Other)
		sign := "+"
		if line.Change < 0 {
			other, sign = fmt.Sprintf(t.p.lineTo, line.Other), ""
		}
		if line.About != "" {
			other += fmt.Sprintf(t.p.about, line.About)
		}
		fmt.Fprintf(&b, "\n"+t.p.line, line.Time.UTC().Format(t.p.day), sign+t.money(line.Change), other)
	}
	return answer{say: b.String()}, nil
}

// meet notes the device that speaks, and says from when on it may move money: the customer's first at once, further ones after a while, of which all
// are told.
func (b *Bot) meet(ctx context.Context, m *message, p phrasebook) (ready time.Time, err error) {
	err = b.db.Tx(ctx, func(ctx context.Context) error {
		var since, first int64
		err := b.db.QueryRow(ctx, "select since, first from bank_device where customer = $1 and device = $2", m.customer, m.device).Scan(&since, &first)
		if err == nil {
			if ready = time.UnixMicro(since); first == 0 {
				ready = ready.Add(b.cfg.NewDevice)
			}
			return nil
		}
		if !errors.Is(err, store.ErrNoRows) {
			return err
		}
		var others int
		if err := b.db.QueryRow(ctx, "select count(*) from bank_device where customer = $1", m.customer).Scan(&others); err != nil {
			return err
		}
		now := b.now()
		ready, first = now, 1
		if others > 0 {
			ready, first = now.Add(b.cfg.NewDevice), 0
		}
		if _, err := b.db.Exec(ctx, "insert into bank_device (customer, device, since, first) values ($1, $2, $3, $4)", m.customer, m.device, now.UnixMicro(),
			first); err != nil {
			return err
		}
		if others == 0 || b.cfg.NewDevice == 0 {
			return nil
		}
		return b.say(ctx, m, fmt.Sprintf(p.newDevice, p.moment(ready)))
	})
	if err != nil {
		return ready, fmt.Errorf("note a device: %w", err)
	}
	return ready, nil
}

// moment is a time as it is said.
func (p phrasebook) moment(at time.Time) string { return at.UTC().Format(p.day+" 15:04") + " UTC" }

func (b *Bot) talk(ctx context.Context, customer string) (talk, error) {
	t := talk{language: b.cfg.Language}
	var locked int64
	err := b.db.QueryRow(ctx, "select language, wrong, locked, used from bank_talk where customer = $1", customer).Scan((*string)(&t.language), &t.wrong, &locked, &t.used)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return t, fmt.Errorf("read a conversation: %w", err)
	}
	t.locked = time.UnixMicro(locked)
	return t, nil
}

func (b *Bot) keepTalk(ctx context.Context, customer string, t talk) error {
	_, err := b.db.Exec(ctx, `insert into bank_talk (customer, language, wrong, locked, used) values ($1, $2, $3, $4, $5)
		on conflict (customer) do update set language = excluded.language, wrong = excluded.wrong, locked = excluded.locked, used = excluded.used`,
		customer, string(t.language), t.wrong, t.locked.UnixMicro(), t.used)
	return err
}

func (b *Bot) language(ctx context.Context, customer string) (Language, error) {
	t, err := b.talk(ctx, customer)
	return t.language, err
}
