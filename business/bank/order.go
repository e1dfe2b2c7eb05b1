package bank

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/store"
)

// order is something to be sent, as it stands.
type order struct {
	id, customer, device string
	payee, name          string
	amount               int64
	unit, about          string
	exponent             int
	coded                bool
	wrong, tries         int
	expires              time.Time
	told                 bool
}

const (
	orderColumns = "id, customer, device, payee, name, amount, unit, exponent, about, coded, wrong, tries, expires, told"
	maxAbout     = 140 // characters
	maxDriven    = 20  // orders that are asked about at the same time
)

func scanOrder(scan func(dest ...any) error) (*order, error) {
	var o order
	var coded, expires, told int64
	err := scan(&o.id, &o.customer, &o.device, &o.payee, &o.name, &o.amount, &o.unit, &o.exponent, &o.about, &coded, &o.wrong, &o.tries, &expires, &told)
	if err != nil {
		return nil, err
	}
	o.coded, o.expires, o.told = coded == 1, time.UnixMicro(expires), told == 1
	return &o, nil
}

// orderOf is a customer's order in a state, nil if there is none.
func (b *Bot) orderOf(ctx context.Context, customer, state string) (*order, error) {
	o, err := scanOrder(b.db.QueryRow(ctx, "select "+orderColumns+" from bank_order where customer = $1 and state = $2 limit 1", customer, state).Scan)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	return o, err
}

// orderID follows from the message as it was kept, so that it never makes two, however often it is tried. Its own id alone would not do: a client may use that again when what was
// heard by it is forgotten.
func orderID(m *message) string {
	sum := sha256.Sum256([]byte("bank order\x00" + m.customer + "\x00" + m.id + "\x00" + strconv.FormatInt(m.number, 10)))
	return hex.EncodeToString(sum[:20])
}

// order answers "send 50 to Nadia": with the question whether to do that, or why not.
func (t *turn) order(ctx context.Context, ready time.Time) (answer, error) {
	if !isUnit(t.u.unit, t.account.Unit) {
		return says(t.p.otherUnit, t.account.Unit), nil
	}
	amount, ok := t.t.language.amount(t.u.amount, t.account.Exponent)
	if !ok {
		return says("%s", t.p.badAmount), nil
	}
	if t.b.now().Before(ready) {
		return says(t.p.newDevice, t.p.moment(ready)), nil
	}
	call, cancel := t.b.bounded(ctx)
	defer cancel()
	payees, err := t.b.connector.Payees(call, t.m.customer, t.u.payee)
	if err != nil {
		return t.away(ctx, err)
	}
	switch {
	case len(payees) == 0:
		return says(t.p.noPayee, clean(t.u.payee, 60)), nil
	case len(payees) > 1:
		return says(t.p.whichPayee, list(payees)), nil
	case payees[0].Number == t.account.Number:
		return says("%s", t.p.self), nil
	}
	if refusal, err := t.overLimit(ctx, amount); refusal != "" || err != nil {
		return says("%s", refusal), err
	}
	return t.ask(ctx, payees[0], amount)
}

func list(payees []Payee) string {
	var all []string
	for _, p := range payees[:min(len(payees), 5)] {
		all = append(all, p.Name+" "+p.Number)
	}
	return strings.Join(all, ", ")
}

// clean shortens what somebody has written to be said back.
func clean(text string, most int) string {
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' ' // what turns the direction of writing could make another amount of it
		}
		return r
	}, text)
}

// overLimit is why an amount is too much, "" if it is not.
func (t *turn) overLimit(ctx context.Context, amount int64) (string, error) {
	var spent int64
	err := t.b.db.QueryRow(ctx, "select cast(coalesce(sum(amount), 0) as bigint) from bank_order where customer = $1 and state in ('confirmed', 'done') and asked > $2",
		t.m.customer, t.b.now().Add(-24*time.Hour).UnixMicro()).Scan(&spent)
	if err != nil {
		return "", fmt.Errorf("add up a day: %w", err)
	}
	switch cfg := t.b.cfg; {
	case amount > cfg.MaxTransfer:
		return fmt.Sprintf(t.p.tooMuch, t.money(cfg.MaxTransfer)), nil
	case amount > cfg.MaxDay-spent:
		return fmt.Sprintf(t.p.tooMuchDay, t.money(cfg.MaxDay), t.money(max(0, cfg.MaxDay-spent))), nil
	case amount > t.account.Available:
		return fmt.Sprintf(t.p.tooLittle, t.money(t.account.Available)), nil
	}
	return "", nil
}

// sentWithoutCode is what the customer has sent in 24 hours since the last order that was confirmed with a code: a large amount in small parts needs one, too.
func (t *turn) sentWithoutCode(ctx context.Context) (sum int64, err error) {
	err = t.b.db.QueryRow(ctx, `select cast(coalesce(sum(amount), 0) as bigint) from bank_order where customer = $1 and state in ('confirmed', 'done') and asked > $2
		and asked > (select coalesce(max(asked), 0) from bank_order where customer = $1 and state in ('confirmed', 'done') and coded = 1)`,
		t.m.customer, t.b.now().Add(-24*time.Hour).UnixMicro()).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("add up what needed no code: %w", err)
	}
	return sum, nil
}

// ask keeps the order and says what it would do.
func (t *turn) ask(ctx context.Context, payee Payee, amount int64) (answer, error) {
	running, err := t.b.orderOf(ctx, t.m.customer, "confirmed")
	if err != nil {
		return answer{}, err
	}
	if running != nil {
		return says("%s", t.p.waits), nil
	}
	earlier, err := t.b.orderOf(ctx, t.m.customer, "asked")
	if err != nil {
		return answer{}, err
	}
	about := clean(t.u.about, maxAbout)
	shown := ""
	if about != "" {
		shown = fmt.Sprintf(t.p.about, about)
	}
	plain, err := t.sentWithoutCode(ctx)
	if err != nil {
		return answer{}, err
	}
	format, coded := t.p.challenge, int64(0)
	if amount > t.b.cfg.StepUp-plain {
		format, coded = t.p.challengeCode, 1
	}
	text := fmt.Sprintf(format, t.money(amount), clean(payee.Name, 60), payee.Number, shown, max(1, int(t.b.cfg.Patience/time.Minute)))
	if earlier != nil {
		text = t.p.replaced + text
	}
	now := t.b.now()
	return answer{say: text, write: func(ctx context.Context) error {
		if _, err := t.b.db.Exec(ctx, "update bank_order set state = 'dropped' where customer = $1 and state = 'asked'", t.m.customer); err != nil {
			return err
		}
		_, err := t.b.db.Exec(ctx, `insert into bank_order (id, customer, device, state, payee, name, amount, unit, exponent, about, coded, wrong, asked, expires, tries, due, told)
			values ($1, $2, $3, 'asked', $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, 0, 0, 0)`, orderID(t.m), t.m.customer, t.m.device, payee.Number, payee.Name, amount,
			t.account.Unit, t.account.Exponent, about, coded, now.UnixMicro(), now.Add(t.b.cfg.Patience).UnixMicro())
		return err
	}}, nil
}

// confirm answers yes, no and codes.
func (t *turn) confirm(ctx context.Context) (answer, error) {
	o, err := t.b.orderOf(ctx, t.m.customer, "asked")
	switch {
	case err != nil:
		return answer{}, err
	case o == nil:
		return says("%s", t.p.nothingToConfirm), nil
	case t.u.wish == sayNo:
		return t.drop(o, t.p.dropped), nil
	case !t.b.now().Before(o.expires):
		return t.drop(o, t.p.expired), nil
	case t.m.device != o.device:
		return says("%s", t.p.otherDevice), nil
	case t.u.wish == sayYes && o.coded:
		return says("%s", t.p.needsCode), nil
	case t.u.wish == sayCode && !o.coded:
		return says("%s", t.p.needsYes), nil
	case t.u.wish == sayCode:
		return t.tryCode(ctx, o)
	}
	return t.accept(o), nil
}

func (t *turn) drop(o *order, text string) answer {
	return answer{say: text, write: func(ctx context.Context) error { return t.b.setState(ctx, o, "asked", "dropped") }}
}

// accept says nothing yet: what became of it is said when it is known.
func (t *turn) accept(o *order) answer {
	return answer{write: func(ctx context.Context) error { return t.b.setState(ctx, o, "asked", "confirmed") }}
}

func (b *Bot) setState(ctx context.Context, o *order, from, to string) error {
	changed, err := b.db.Exec(ctx, "update bank_order set state = $1, due = 0 where id = $2 and state = $3", to, o.id, from)
	if err == nil && changed == 0 {
		err = fmt.Errorf("order %s is not %s any more", o.id, from)
	}
	return err
}

// tryCode counts wrong codes, for the order and for the customer.
func (t *turn) tryCode(ctx context.Context, o *order) (answer, error) {
	now := t.b.now()
	if now.Before(t.t.locked) {
		return t.drop(o, fmt.Sprintf(t.p.locked, t.p.moment(t.t.locked))), nil
	}
	call, cancel := t.b.bounded(ctx)
	defer cancel()
	step, ok, err := t.b.codes.Check(call, t.m.customer, t.u.code, now)
	if err != nil {
		return t.away(ctx, err)
	}
	if ok && (step == 0 || step > t.t.used) {
		t.t.wrong, t.t.used = 0, max(step, t.t.used)
		return t.accept(o), nil
	}
	t.t.wrong++
	switch {
	case t.t.wrong >= maxWrong:
		t.t.locked = now.Add(lockFor)
		if t.t.wrong > maxWrong {
			t.t.locked = now.Add(24 * time.Hour)
		}
		return t.drop(o, fmt.Sprintf(t.p.locked, t.p.moment(t.t.locked))), nil
	case o.wrong+1 >= maxWrongOrder:
		return t.drop(o, t.p.wrongLast), nil
	}
	return answer{say: fmt.Sprintf(t.p.wrong, maxWrongOrder-o.wrong-1), write: func(ctx context.Context) error {
		_, err := t.b.db.Exec(ctx, "update bank_order set wrong = wrong + 1 where id = $1", o.id)
		return err
	}}, nil
}

// driveAll brings confirmed orders to an end, until ctx ends.
func (b *Bot) driveAll(ctx context.Context) {
	for {
		due, err := b.dueOrders(ctx)
		if err != nil && ctx.Err() == nil {
			b.log.Warn("orders cannot be read", "err", err)
		}
		var all sync.WaitGroup
		for _, o := range due {
			all.Go(func() {
				if err := b.driveOne(ctx, o); err != nil && ctx.Err() == nil {
					b.log.Warn("an order is not done yet", "err", err)
				}
			})
		}
		all.Wait()
		pause := firstPause
		if !wait(ctx, pause, b.drive) {
			return
		}
	}
}

func (b *Bot) dueOrders(ctx context.Context) ([]*order, error) {
	rows, err := b.db.Query(ctx, "select "+orderColumns+" from bank_order where state = 'confirmed' and due <= $1 order by due limit $2", b.now().UnixMicro(), maxDriven)
	if err != nil {
		return nil, err
	}
	var all []*order
	for rows.Next() {
		o, err := scanOrder(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// driveOne asks the bank to move the money, or what became of that. It may do so any number of times: the id is the same.
func (b *Bot) driveOne(ctx context.Context, o *order) error {
	pause := min(firstPause<<min(o.tries, 10), lastPause)
	if _, err := b.db.Exec(ctx, "update bank_order set tries = tries + 1, due = $1 where id = $2", b.now().Add(pause).UnixMicro(), o.id); err != nil {
		return err
	}
	b.step("ordering")
	outcome, err := b.move(ctx, o)
	b.step("ordered")
	if err == nil && (outcome.State == Done || outcome.State == Refused) {
		return b.finish(ctx, o, outcome)
	}
	if err != nil {
		b.log.Warn("it is not known whether an order was done", "err", err)
	}
	if o.told || ctx.Err() != nil {
		return ctx.Err()
	}
	return b.tell(ctx, o, func(ctx context.Context, p phrasebook, l Language) (string, error) {
		_, err := b.db.Exec(ctx, "update bank_order set told = 1 where id = $1", o.id)
		return fmt.Sprintf(p.unknown, l.money(o.amount, o.unit, o.exponent), o.name), err
	})
}

// move looks first, if it was tried before.
func (b *Bot) move(ctx context.Context, o *order) (Outcome, error) {
	call, cancel := b.bounded(ctx)
	defer cancel()
	if o.tries > 0 {
		outcome, err := b.connector.Look(call, o.id)
		if err != nil || outcome.State != NotKnown {
			return outcome, err
		}
	}
	return b.connector.Transfer(call, Transfer{ID: o.id, Customer: o.customer, Payee: o.payee, Amount: o.amount, Unit: o.unit, About: o.about, Device: o.device})
}

// finish keeps what became of an order, and that the customer is told.
func (b *Bot) finish(ctx context.Context, o *order, outcome Outcome) error {
	return b.tell(ctx, o, func(ctx context.Context, p phrasebook, l Language) (string, error) {
		amount := l.money(o.amount, o.unit, o.exponent)
		if outcome.State == Refused {
			format, ok := p.refused[outcome.Reason]
			if !ok {
				format = p.refused[Other]
			}
			return fmt.Sprintf(format, amount, o.name), b.setState(ctx, o, "confirmed", "refused")
		}
		return fmt.Sprintf(p.done, amount, o.name, outcome.Number, l.money(outcome.Balance, o.unit, o.exponent)), b.setState(ctx, o, "confirmed", "done")
	})
}

func (b *Bot) tell(ctx context.Context, o *order, write func(ctx context.Context, p phrasebook, l Language) (string, error)) error {
	err := b.db.Tx(ctx, func(ctx context.Context) error {
		language, err := b.language(ctx, o.customer)
		if err != nil {
			return err
		}
		text, err := write(ctx, phrases[language], language)
		if err != nil {
			return err
		}
		return b.say(ctx, &message{customer: o.customer, device: o.device}, text)
	})
	if err != nil {
		return fmt.Errorf("keep what became of an order: %w", err)
	}
	b.step("told")
	signal(b.speak)
	return nil
}
