package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

const (
	nsPay  = "urn:palabre:pay:0"
	nsDesk = "urn:palabre:admin:0"
	// begin is what each wallet has at first, in minor units.
	begin = 80_000
	why   = "Money of the demonstration"
)

// payment is one that was made.
type payment struct {
	id, from, to string
	amount       int64
	what         string
}

var payments = []payment{
	{"demo-order-sardines", "karim", Fishmonger, 12_500, "Two kilos of sardines"},
	{"demo-bread-lemons", "nadia", "karim", 3_500, "Bread and lemons"},
}

// Ids of what is asked for.
const (
	crabs = "demo-request-crabs"
	bill  = "demo-friday-dinner"
)

// share is each friend's part of the bill; some have paid theirs.
const share = 9_000

var havePaid = []string{"omar", "amina"}

func (s *scene) service() xmpp.JID { return xmpp.MustJID("pay." + s.Domain) }

// fund gives everybody money to begin with: the town hall, which administers the server, proposes it, and whoever runs it approves.
func (s *scene) fund(ctx context.Context) error {
	if s.Approve == nil {
		return nil
	}
	hall, desk := s.sessions[TownHall], xmpp.MustJID(s.Domain)
	done := map[string]bool{}
	for _, decided := range []string{"true", "false"} {
		ask := xmpp.NewElement(nsDesk, "proposals")
		if decided == "true" {
			ask.Set("decided", decided)
		}
		list, err := hall.Get(ctx, desk, ask)
		if err != nil {
			return fmt.Errorf("read proposals: %w", err)
		}
		for p := range list.Children() {
			if p.Text() != why {
				continue
			}
			if decided == "false" {
				if err := s.approve(ctx, p); err != nil {
					return err
				}
			}
			done[p.Attr("account")] = true
		}
	}
	for _, p := range People {
		account := s.jid(p.Name).String()
		if p.Name == TownHall || p.Name == Bank || done[account] {
			continue
		}
		propose := xmpp.NewElement(nsDesk, "propose").Set("kind", "issue").Set("account", account).Set("unit", s.Unit).Set("amount", strconv.Itoa(begin)).AddText(why)
		made, err := hall.Set(ctx, desk, propose)
		if err != nil {
			return fmt.Errorf("propose money for %s: %w", p.Name, err)
		}
		if err := s.approve(ctx, made); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) approve(ctx context.Context, proposal *xmpp.Element) error {
	id, err := strconv.ParseInt(proposal.Attr("id"), 10, 64)
	if err != nil {
		return fmt.Errorf("read a proposal: %w", err)
	}
	return s.Approve(ctx, id)
}

// pay makes what was paid, what is asked for, and a bill of which some have paid their part.
func (s *scene) pay(ctx context.Context) error {
	if s.Approve == nil {
		return nil
	}
	for _, p := range payments {
		if err := s.sessions[p.from].send(ctx, s, p, ""); err != nil {
			return err
		}
	}
	request := xmpp.NewElement(nsPay, "request").Set("id", crabs).Set("payer", s.jid("karim").String()).Set("amount", "4500").Set("unit", s.Unit).Set("for", "A kilo of crabs, for Sunday")
	if _, err := s.sessions[Fishmonger].Set(ctx, s.service(), request); err != nil {
		return fmt.Errorf("ask for money: %w", err)
	}
	return s.divide(ctx)
}

// divide splits the bill of the dinner among the friends (docs/protocol/payments.md).
func (s *scene) divide(ctx context.Context) error {
	maker := s.sessions["lucie"]
	split := xmpp.NewElement(nsPay, "split").Set("id", bill).Set("group", s.group().String()).Set("total", strconv.Itoa(share*len(friends))).Set("unit", s.Unit).
		Set("for", "Dinner on Friday").Set("by", "equal")
	for _, name := range friends {
		split.Add(xmpp.NewElement(nsPay, "share").Set("jid", s.jid(name).String()).Set("amount", strconv.Itoa(share)))
	}
	made, err := maker.Set(ctx, s.service(), split)
	if err != nil {
		return fmt.Errorf("split the bill: %w", err)
	}
	words := "I put the bill of the restaurant into the split: 90.00 " + s.Unit + " for each of us"
	if err := maker.say(ctx, s.group(), true, "demo-friday-split", words, xmpp.NewElement(nsPay, "split").Set("id", bill).Set("group", s.group().String())); err != nil {
		return err
	}
	for part := range made.Children() {
		for _, name := range havePaid {
			if part.Attr("jid") != s.jid(name).String() {
				continue
			}
			p := payment{"demo-dinner-of-" + name + "-1", name, "lucie", share, "Dinner on Friday"}
			if err := s.sessions[name].send(ctx, s, p, part.Attr("request")); err != nil {
				return err
			}
		}
	}
	return nil
}

// send pays somebody, once.
func (o *session) send(ctx context.Context, s *scene, p payment, of string) error {
	_, err := o.Get(ctx, s.service(), xmpp.NewElement(nsPay, "lookup").Set("id", p.id))
	if err == nil {
		return nil
	}
	if !errors.Is(err, xmpp.ItemNotFound) {
		return fmt.Errorf("look for the payment %s: %w", p.id, err)
	}
	if o.key == nil {
		if err := o.makeKey(ctx, s.service()); err != nil {
			return err
		}
	}
	i := intent.Intent{Service: s.service().String(), ID: p.id, Kind: intent.Send, Payer: o.Account().String(), Payee: s.jid(p.to).String(), Amount: p.amount, Unit: s.Unit,
		Of: of, For: p.what, Key: intent.KeyID(o.point), Expires: time.Now().Add(5 * time.Minute).UTC().Truncate(time.Second)}
	text, err := i.Text()
	if err != nil {
		return err
	}
	signature, err := intent.Sign(o.key, text)
	if err != nil {
		return err
	}
	signed := xmpp.NewElement(nsPay, "pay", xmpp.NewText(nsPay, "intent", text), xmpp.NewText(nsPay, "signature", written(signature)).Set("key", i.Key))
	if _, err := o.Set(ctx, s.service(), signed); err != nil {
		return fmt.Errorf("pay %s: %w", p.id, err)
	}
	return nil
}

func written(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// makeKey makes a payment key that lasts as long as this session; nobody knows its PIN.
func (o *session) makeKey(ctx context.Context, service xmpp.JID) (err error) {
	if o.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	if o.point, err = o.key.PublicKey.Bytes(); err != nil {
		return err
	}
	var draw [80]byte
	rand.Read(draw[:])
	key := xmpp.NewElement(nsPay, "key", xmpp.NewText(nsPay, "public", written(o.point)), xmpp.NewText(nsPay, "salt", written(draw[:16])),
		xmpp.NewText(nsPay, "verifier", written(draw[16:48])), xmpp.NewText(nsPay, "share", written(draw[48:]))).Set("kind", "pin").Set("name", "Demonstration")
	if _, err := o.Set(ctx, service, key); err != nil {
		return fmt.Errorf("make a payment key: %w", err)
	}
	return nil
}
