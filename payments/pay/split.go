package pay

import (
	"encoding/json"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// Limits of a split.
const (
	maxShares    = 100
	maxItems     = 50       // of one share
	maxItem      = 128      // bytes of an item's name
	maxItemsText = 16 << 10 // bytes of all items of a split, as they are kept
)

// item is what somebody had.
type item struct {
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
}

// share is what one has to pay of a bill.
type share struct {
	account string
	amount  int64
	parts   int64 // 0 where the bill is not divided by parts
	items   []item
	request string   // empty for the payee's own
	state   *request // as kept; nil for the payee's own
}

// split is a bill of which each pays a part.
type split struct {
	id           string
	made         int64
	maker, payee string
	within       string // the group
	total        int64
	unit, about  string
	way          string // equal, shares, exact, items
	shares       []share

	partial bool // of a new one: its requests may be paid in parts
	expires time.Time
}

// readSplit reads a split. The amounts are those of the shares: they must add up to the total.
func readSplit(who string, e *xmpp.Element, now time.Time) (*split, error) {
	a := &asked{e: e}
	p := &split{id: a.id("id"), maker: who, payee: a.person("payee", who), within: a.optional("group"), total: a.amount("total"), unit: a.unit("unit"), about: a.words("for", maxFor),
		way: a.oneOf("by", "exact", "equal", "shares", "items"), partial: a.yes("partial"), expires: a.until("expires", now, maxRequestLife, requestLife)}
	var sum int64
	seen := map[string]bool{}
	for child := range e.Children() {
		if !child.Is(NS, "share") {
			continue
		}
		if len(p.shares) == maxShares {
			return nil, xmpp.ResourceConstraint.Because("at most %d shares", maxShares)
		}
		one := readShare(a, child)
		if seen[one.account] {
			a.refuse("share", "each person has one")
		}
		if one.account != p.payee {
			one.request = derivedID("share", p.id, one.account)
		}
		seen[one.account] = true
		sum += one.amount
		p.shares = append(p.shares, one)
	}
	if a.err != nil {
		return nil, a.err
	}
	if err := p.checkItems(); err != nil {
		return nil, err
	}
	if sum != p.total {
		return nil, xmpp.NotAcceptable.Because("the shares are %d together, the total is %d", sum, p.total)
	}
	if len(seen) == 0 || len(seen) == 1 && seen[p.payee] {
		return nil, xmpp.BadRequest.Because("nobody is asked to pay a share")
	}
	return p, nil
}

// readShare reads one share; what it cannot be is noted in a.
func readShare(a *asked, e *xmpp.Element) share {
	b := &asked{e: e}
	one := share{account: b.person("jid", ""), amount: b.amount("amount"), parts: b.number("parts", 0, 10_000, 0)}
	for child := range e.Children() {
		if !child.Is(NS, "item") {
			continue
		}
		if len(one.items) == maxItems {
			b.refuse("item", fmt.Sprintf("at most %d in a share", maxItems))
			break
		}
		c := &asked{e: child}
		one.items = append(one.items, item{c.words("name", maxItem), c.number("amount", 0, ledger.MaxAmount, 0)})
		if c.err != nil && b.err == nil {
			b.err = c.err
		}
	}
	if b.err != nil && a.err == nil {
		a.err = b.err
	}
	return one
}

// checkItems refuses more items than one split may have.
func (p *split) checkItems() error {
	length := 0
	for _, one := range p.shares {
		text, err := itemsText(one.items)
		if err != nil {
			return err
		}
		if length += len(text); length > maxItemsText {
			return xmpp.BadRequest.Because("item: at most %d bytes in all shares", maxItemsText)
		}
	}
	return nil
}

// itemsText is how the items of a share are kept.
func itemsText(items []item) (string, error) {
	if len(items) == 0 {
		return "", nil
	}
	b, err := json.Marshal(items)
	return string(b), err
}

// requestOf is the request for a share.
func (p *split) requestOf(one share) *request {
	return &request{id: one.request, maker: p.maker, payee: p.payee, payer: one.account, amount: one.amount, unit: p.unit, about: p.about, expires: p.expires, partial: p.partial,
		chat: p.within, split: p.id}
}

// whole is the split as it is answered to who asks for it alone: with the items of each share.
func (p *split) whole(now time.Time) *xmpp.Element {
	e := p.element(now)
	i := 0
	for child := range e.Children() {
		for _, one := range p.shares[i].items {
			child.Add(element("item").Set("name", one.Name).Set("amount", digits(one.Amount)))
		}
		i++
	}
	return e
}

// element is the split as it is told: with what has become of each share.
func (p *split) element(now time.Time) *xmpp.Element {
	e := element("split").Set("id", p.id).Set("organiser", p.maker).Set("payee", p.payee).Set("total", digits(p.total)).Set("unit", p.unit).Set("by", p.way).
		Set("time", intent.FormatTime(time.UnixMicro(p.made).UTC().Truncate(time.Second)))
	if p.within != "" {
		e.Set("group", p.within)
	}
	if p.about != "" {
		e.Set("for", p.about)
	}
	var paid int64
	for _, one := range p.shares {
		c := element("share").Set("jid", one.account).Set("amount", digits(one.amount))
		if one.parts > 0 {
			c.Set("parts", digits(one.parts))
		}
		state, part := requestPaid, one.amount // who is paid owes nothing
		if one.state != nil {
			state, part = one.state.stateAt(now), one.state.paid
			c.Set("request", one.request)
		}
		paid += part
		c.Set("state", state).Set("paid", digits(part))
		e.Add(c)
	}
	return e.Set("paid", digits(paid))
}

// paid says whether all have paid.
func (p *split) paid() bool {
	for _, one := range p.shares {
		if one.state != nil && one.state.state != requestPaid {
			return false
		}
	}
	return true
}
