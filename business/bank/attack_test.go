package bank_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"palabre.dev/palabre/business/bank"
	"palabre.dev/palabre/xmpp"
)

// clock is a time that a test moves on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// wrong is a code that is not right at a time, nor in the steps around it.
func wrong(at time.Time) string {
	for _, code := range []string{"000000", "111111", "222222", "333333"} {
		right := false
		for d := -time.Minute; d <= time.Minute; d += 30 * time.Second {
			right = right || bank.Code(secret, at.Add(d)) == code
		}
		if !right {
			return code
		}
	}
	return "444444"
}

// TestCodesAreNotGuessed has three wrong codes end an order, and six in a row end the taking of codes, also of right ones.
func TestCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	s := town(t)
	c := &clock{now: time.Now()}
	b := open(t, s, nil, nil, func(bot *bank.Bot) { bot.SetClock(c.Now) })
	romeo := start(t, s, "romeo")
	const ask = "Send 200.00 MAD to Nadia Haddad (account MA1002)? Answer with the code of your authenticator within 5 minutes, or “no”."
	for round := range 2 {
		romeo.says("send 200 to Nadia")
		romeo.expects(ask)
		for left := 2; left > 0; left-- {
			romeo.says(wrong(c.Now()))
			romeo.expects("That code is not right. You have " + string(rune('0'+left)) + " more tries.")
		}
		romeo.says(wrong(c.Now()))
		if round == 0 {
			romeo.expects("That code is not right. The order is dropped, nothing was sent.")
		} else {
			romeo.expects("There were too many wrong codes. I take codes again from {*} on. Nothing was sent.")
		}
		romeo.says(bank.Code(secret, c.Now()))
		romeo.expects("There is nothing to confirm.")
	}
	romeo.says("send 200 to Nadia")
	romeo.expects(ask)
	romeo.says(bank.Code(secret, c.Now()))
	romeo.expects("There were too many wrong codes.{*}")
	if got := b.balance(t, "romeo@localhost"); got != 100_000 {
		t.Errorf("balance %d", got)
	}
	c.add(16 * time.Minute)
	romeo.says("send 200 to Nadia")
	romeo.expects(ask)
	romeo.says(bank.Code(secret, c.Now()))
	romeo.expects("Done: 200.00 MAD sent to Nadia Haddad.{*}")
}

// TestALargeAmountInSmallParts needs a code as soon as the parts together are large, and again only after as much more.
func TestALargeAmountInSmallParts(t *testing.T) {
	t.Parallel()
	s := town(t)
	c := &clock{now: time.Now()}
	open(t, s, nil, nil, func(bot *bank.Bot) { bot.SetClock(c.Now) })
	romeo := start(t, s, "romeo")
	for _, coded := range []bool{false, true, false} {
		romeo.says("send 90 to Nadia")
		if !coded {
			romeo.expects("Send 90.00 MAD to Nadia Haddad (account MA1002)? {*}“yes”{*}")
			romeo.says("yes")
		} else {
			romeo.expects("Send 90.00 MAD to Nadia Haddad (account MA1002)? Answer with the code of your authenticator{*}")
			romeo.says(bank.Code(secret, c.Now()))
		}
		romeo.expects("Done: 90.00 MAD{*}")
		c.add(time.Minute)
	}
}

func TestOrdersExpire(t *testing.T) {
	t.Parallel()
	s := town(t)
	c := &clock{now: time.Now()}
	b := open(t, s, func(cfg *bank.Config) { cfg.MaxDay, cfg.MaxTransfer = 10_000, 9_000 }, nil, func(bot *bank.Bot) { bot.SetClock(c.Now) })
	romeo := start(t, s, "romeo")
	romeo.says("send 50 to Nadia")
	romeo.expects("Send 50.00 MAD{*}")
	c.add(5 * time.Minute)
	romeo.says("yes")
	romeo.expects("The time to confirm is over.{*}")
	romeo.says("yes")
	romeo.expects("There is nothing to confirm.")
	for range 2 {
		romeo.says("send 50 to Nadia")
		romeo.expects("Send 50.00 MAD{*}")
		romeo.says("yes")
		romeo.expects("Done: {*}")
	}
	romeo.says("send 1 to Nadia")
	romeo.expects("With this it would be more than 100.00 MAD in 24 hours; 0.00 MAD are left. Nothing was sent.")
	c.add(25 * time.Hour)
	romeo.says("send 90.01 to Nadia")
	romeo.expects("I send at most 90.00 MAD at once. Nothing was sent.")
	if got := b.balance(t, "juliet@localhost"); got != 10_000 {
		t.Errorf("balance %d", got)
	}
}

// TestAnotherDevice has somebody who came into the account with another device try to spend, and to confirm what the first has asked for.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	s := town(t)
	b := open(t, s, nil, nil)
	romeo := start(t, s, "romeo")
	romeo.says("send 50 to Nadia")
	romeo.expects("Send 50.00 MAD{*}")
	thief := start(t, s, "romeo")
	for len(thief.heard) > 0 {
		<-thief.heard // what was said before it came, it cannot read
	}
	thief.says("yes")
	for _, one := range []*person{romeo, thief} {
		one.expects("A new device speaks for you here. It can move money from {*} on. If it is not yours, call your bank now.")
		one.expects("Please confirm on the device on which you asked. Nothing was sent.")
	}
	thief.says("send 50 to Nadia")
	thief.expects("A new device speaks for you here. It can move money from {*} on.{*}")
	if got := b.balance(t, "romeo@localhost"); got != 100_000 {
		t.Errorf("balance %d", got)
	}
}

// TestInClear says nothing of an account to who writes without encryption, and nothing to strangers.
func TestInClear(t *testing.T) {
	t.Parallel()
	s := town(t)
	open(t, s, nil, nil)
	romeo, stranger := start(t, s, "romeo"), start(t, s, "mercutio")
	romeo.encrypted("the bank is there")
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: xmpp.MustJID("nurse@localhost"), ID: "c1"}
	must(t, romeo.SendAcked(within(t), st.Add(xmpp.NewText(xmpp.NSClient, "body", "solde"))))
	romeo.expects("in clear: Je ne parle de comptes que dans une conversation chiffrée.{*}")
	stranger.says("balance")
	stranger.expects("This address is not one of a customer of Bank of Verona.")
}

// TestMessagesThatComeTwice has the network bring each message twice, under the id that the sender gave it.
func TestMessagesThatComeTwice(t *testing.T) {
	t.Parallel()
	s := town(t)
	b := open(t, s, nil, nil)
	romeo := start(t, s, "romeo")
	for i, text := range []string{"send 50 to Nadia", "yes"} {
		for range 2 {
			st := romeo.encrypted(text)
			st.ID = "twice-" + string(rune('a'+i))
			must(t, romeo.SendAcked(within(t), st))
		}
		romeo.expects([]string{"Send 50.00 MAD{*}", "Done: 50.00 MAD{*}"}[i])
	}
	romeo.says("balance")
	romeo.expects("Your account MA1001 has 950.00 MAD.")
	if got := b.balance(t, "juliet@localhost"); got != 5_000 {
		t.Errorf("balance %d", got)
	}
}

// TestAnIDThatIsUsedAgain by a client, when it is forgotten that it was heard, makes another order; trying the same message again does not.
func TestAnIDThatIsUsedAgain(t *testing.T) {
	first := bank.OrderID("romeo@localhost", "m1", 1)
	if bank.OrderID("romeo@localhost", "m1", 1) != first || bank.OrderID("romeo@localhost", "m1", 2) == first {
		t.Error("the id of an order does not follow from the kept message")
	}
}

func TestTooMuchAtOnce(t *testing.T) {
	t.Parallel()
	s := town(t)
	c := &clock{now: time.Now()}
	open(t, s, func(cfg *bank.Config) { cfg.MaxMinute = 3 }, nil, func(bot *bank.Bot) { bot.SetClock(c.Now) })
	romeo := start(t, s, "romeo")
	for range 8 {
		romeo.says("balance")
	}
	answers := 0
	for range 4 {
		if text := romeo.hears(); strings.HasPrefix(text, "Your account") {
			answers++
		} else if !strings.HasPrefix(text, "That was too much") {
			t.Errorf("heard %q", text)
		}
	}
	if answers != 3 {
		t.Errorf("%d answers", answers)
	}
	c.add(2 * time.Minute)
	romeo.says("help")
	romeo.expects("Hello, this is Bank of Verona.{*}")
}

// losing is a bank whose answers get lost: what was asked was done.
type losing struct {
	bank.Connector
	away atomic.Bool
	lose atomic.Int32 // how many answers of Transfer
	asks atomic.Int32
}

var errLost = errors.New("the answer was lost")

func (l *losing) Account(ctx context.Context, customer string) (bank.Account, error) {
	if l.away.Load() {
		return bank.Account{}, errLost
	}
	return l.Connector.Account(ctx, customer)
}

func (l *losing) Transfer(ctx context.Context, t bank.Transfer) (bank.Outcome, error) {
	l.asks.Add(1)
	outcome, err := l.Connector.Transfer(ctx, t)
	if l.lose.Add(-1) >= 0 {
		return bank.Outcome{}, errLost
	}
	return outcome, err
}

func (l *losing) Look(ctx context.Context, id string) (bank.Outcome, error) {
	if l.lose.Add(-1) >= 0 {
		return bank.Outcome{}, errLost
	}
	return l.Connector.Look(ctx, id)
}

// TestAnswersOfTheBankAreLost has the customer told that it is not known, and then what is; the money is moved once.
func TestAnswersOfTheBankAreLost(t *testing.T) {
	t.Parallel()
	s := town(t)
	var l *losing
	b := open(t, s, nil, func(c bank.Connector) bank.Connector { l = &losing{Connector: c}; return l })
	l.lose.Store(2)
	romeo := start(t, s, "romeo")
	romeo.says("send 50 to Nadia")
	romeo.expects("Send 50.00 MAD{*}")
	romeo.says("yes")
	romeo.expects("I have not heard yet whether 50.00 MAD to Nadia Haddad went through.{*}")
	romeo.expects("Done: 50.00 MAD sent to Nadia Haddad.{*}")
	if got := b.balance(t, "juliet@localhost"); got != 5_000 {
		t.Errorf("balance %d", got)
	}
	l.away.Store(true)
	romeo.says("balance")
	romeo.expects("I cannot reach the books at the moment, so I do not know. Nothing was done; please ask again in a few minutes.")
	l.away.Store(false)
	romeo.says("balance")
	romeo.expects("Your account MA1001 has 950.00 MAD.")
	if n := l.asks.Load(); n != 1 {
		t.Errorf("the bank was asked %d times to move it", n)
	}
}
