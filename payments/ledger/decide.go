package ledger

import "math"

// decide does one operation in a draft, or says why not. Whatever it looks at was looked up before.
func (l *Ledger) decide(d *draft, o *Operation, now int64) (*row, Reason) {
	r := &row{key: o.ID, kind: o.Kind, amount: o.Amount, expires: expiresMicro(o.Expires), about: o.About, data: o.kept()}
	var why Reason
	switch o.Kind {
	case Opening:
		why = l.open(d, o, r, now)
	case Setting:
		why = d.adjust(o, r)
	case Transfer, Hold:
		why = d.move(o, r, now)
	case Capture, Void, Expiry:
		why = d.end(o, r, now)
	case Reversal:
		why = d.reverse(o, r)
	}
	return r, why
}

// open opens an account.
func (l *Ledger) open(d *draft, o *Operation, r *row, now int64) Reason {
	unit, ok := l.units[o.Unit]
	if !ok {
		return NoUnit
	}
	if d.named(o.From) != nil {
		return HasAccount
	}
	if o.State == Closed {
		return IsClosed
	}
	if o.Floor > 0 {
		return Insufficient
	}
	h := &head{id: now, name: o.From, unit: o.Unit, floor: o.Floor, state: o.State}
	d.heads[h.id], d.names[h.name] = h, h.id
	d.opened = append(d.opened, h)
	d.set = append(d.set, setting{r, o.Floor, o.State})
	r.debit, r.digits = side{account: h.id}, int64(unit.Exponent)
	return 0
}

// adjust changes what holds for an account.
func (d *draft) adjust(o *Operation, r *row) Reason {
	h := d.named(o.From)
	switch {
	case h == nil:
		return NoAccount
	case h.state == Closed:
		return IsClosed
	case o.State == Closed && (h.balance != 0 || h.held != 0):
		return NotEmpty
	case o.Floor != Unbounded && h.balance-h.held < o.Floor:
		return Insufficient
	}
	h = d.change(h.id)
	h.floor, h.state = o.Floor, o.State
	r.debit = h.side()
	d.set = append(d.set, setting{r, o.Floor, o.State})
	return 0
}

func (h *head) side() side { return side{h.id, h.balance, h.held} }

// mayPay refuses what an account may not pay.
func (h *head) mayPay(amount int64) Reason {
	switch {
	case h.state == Closed:
		return IsClosed
	case h.state == Frozen:
		return IsFrozen
	case h.available() < amount:
		return Insufficient
	case h.balance-h.held < math.MinInt64/2+amount:
		return Overflow
	}
	return 0
}

// mayGet refuses what an account may not be paid.
func (h *head) mayGet(amount int64) Reason {
	switch {
	case h.state == Closed:
		return IsClosed
	case h.balance > math.MaxInt64/2-amount:
		return Overflow
	}
	return 0
}

// move moves an amount, or holds it.
func (d *draft) move(o *Operation, r *row, now int64) Reason {
	from, to := d.named(o.From), d.named(o.To)
	if from == nil || to == nil {
		return NoAccount
	}
	if from.unit != o.Unit || to.unit != o.Unit {
		return OtherUnit
	}
	if why := from.mayPay(o.Amount); why != 0 {
		return why
	}
	if why := to.mayGet(o.Amount); why != 0 {
		return why
	}
	if o.Kind == Hold && (r.expires <= now || r.expires > now+MaxHolding.Microseconds()) {
		return TooFar
	}
	from, to = d.change(from.id), d.change(to.id)
	if o.Kind == Hold {
		from.held += o.Amount
	} else {
		from.balance -= o.Amount
		to.balance += o.Amount
	}
	r.debit, r.credit = from.side(), to.side()
	return 0
}

// end ends a hold: what is captured is moved, the rest is free again.
func (d *draft) end(o *Operation, r *row, now int64) Reason {
	hold := d.targetOf(o.Of)
	switch {
	case hold == nil || hold.row.kind != Hold:
		return NoTarget
	case hold.end == Expiry || hold.end == 0 && o.Kind != Expiry && hold.row.expires <= now:
		return Expired
	case hold.end != 0:
		return Ended
	case o.Amount > hold.row.amount:
		return Exceeds
	case o.Kind == Expiry && hold.row.expires > now:
		return TooFar
	}
	from, to := d.change(hold.row.debit.account), d.change(hold.row.credit.account)
	if o.Kind == Capture {
		if from.state == Frozen {
			return IsFrozen
		}
		if why := to.mayGet(o.Amount); why != 0 {
			return why
		}
	}
	from.held -= hold.row.amount
	from.balance -= o.Amount
	to.balance += o.Amount
	d.changeTarget(hold).end = o.Kind
	r.target, r.debit, r.credit = hold.row.id, from.side(), to.side()
	return 0
}

// reverse moves back what a transfer or a capture has moved.
func (d *draft) reverse(o *Operation, r *row) Reason {
	moved := d.targetOf(o.Of)
	if moved == nil || moved.row.kind != Transfer && moved.row.kind != Capture {
		return NoTarget
	}
	if o.Amount > moved.row.amount-moved.reversed {
		return Exceeds
	}
	from, to := d.numbered(moved.row.credit.account), d.numbered(moved.row.debit.account)
	if why := from.mayPay(o.Amount); why != 0 {
		return why
	}
	if why := to.mayGet(o.Amount); why != 0 {
		return why
	}
	from, to = d.change(from.id), d.change(to.id)
	from.balance -= o.Amount
	to.balance += o.Amount
	d.changeTarget(moved).reversed += o.Amount
	r.target, r.debit, r.credit = moved.row.id, from.side(), to.side()
	return 0
}

// targetOf is what was kept under an id and can be ended or reversed, nil if there is none.
func (d *draft) targetOf(id string) *target {
	r := d.keys[id]
	if r == nil || r.reason != 0 {
		return nil
	}
	t := d.targets[r.id]
	if t == nil {
		t = &target{row: r}
		d.targets[r.id] = t
	}
	return t
}
