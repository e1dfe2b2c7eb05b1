package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/pay"
)

// oneWithReason is the help of what one person does.
const oneWithReason = "One person does it, and says why: that is in the audit log (pay audit), with their name where payments run alone (-as)."

// address is that of an account, whose domain may be left out.
func (c *call) address(account string) string {
	if strings.Contains(account, "@") {
		return account
	}
	return account + "@" + c.cfg.Domain
}

func jsonAndAs(c *call, set *flag.FlagSet) { jsonFlag(c, set); asFlag(c, set) }

var payWallet = subcommand{
	name: "pay wallet", usage: "ACCOUNT", summary: "tells what a wallet may and what is on it, never whom it pays",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, args []string) error {
		account, err := one(args)
		if err != nil {
			return errors.New("pay wallet needs an account")
		}
		return c.wallet(ctx, app.PurseArgs{Account: account})
	},
}

// onWallet is a subcommand that changes a wallet.
func onWallet(name, summary, help string) subcommand {
	return subcommand{name: "pay " + name, usage: "ACCOUNT WHY", summary: summary, help: help + "\n" + oneWithReason, flags: jsonAndAs, run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 2 {
			return fmt.Errorf("pay %s needs an account and the reason", name)
		}
		return c.wallet(ctx, app.PurseArgs{Account: args[0], Do: name, Why: args[1], As: c.as})
	}}
}

var (
	payStop = onWallet("stop", "stops a wallet: nothing is debited, whatever its owner signs",
		"For a court, or a stolen phone whose owner cannot freeze the wallet. What comes in comes in; what is there stays. pay go-on ends it.")
	payGoOn = onWallet("go-on", "lets a wallet go on that pay stop has stopped",
		"If it is frozen as well, and has no key left, it is opened, too: make sure who its owner is. One that has keys stays frozen: its owner opens it, or pay keep says which of them stay.")
	payOpen = onWallet("open", "opens a wallet that is frozen and has no key left",
		"Make sure who its owner is: whoever has stolen their phone may ask as well. A wallet that a key of its owner opens is refused (it is theirs to open); so is one that has keys of which none\nopens it (pay keep), and one that is stopped (pay go-on).")
)

var payLevel = subcommand{
	name: "pay level", usage: "ACCOUNT LEVEL WHY", summary: "sets the level of identification of somebody, and so their limits",
	help: "After you have seen who they are, as your licence asks. pay wallet tells the levels that there are.\n" + oneWithReason, flags: jsonAndAs,
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 3 {
			return errors.New("pay level needs an account, a level and the reason")
		}
		return c.wallet(ctx, app.PurseArgs{Account: args[0], Do: "level", Level: args[1], Why: args[2], As: c.as})
	},
}

// wallet changes a wallet, if that is asked for, and tells how it stands.
func (c *call) wallet(ctx context.Context, args app.PurseArgs) error {
	args.Account = c.address(args.Account)
	var p app.Purse
	if err := c.ask(ctx, "pay/wallet", args, &p); err != nil {
		return err
	}
	if c.json {
		return c.row(nil, p)
	}
	fmt.Fprintf(c.out, "%s: %s; level %s of %s\n", p.Account, standing(p), p.Level, strings.Join(p.Levels, ", "))
	table, empty := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', tabwriter.AlignRight), true
	fmt.Fprintln(table, "BALANCE\tHELD\tPOCKET\tA PAYMENT\tA DAY\tLEFT TODAY\tPIN ANEW FROM\t")
	for _, m := range p.Money {
		empty = empty && m.Balance.Amount == 0 && m.Pocket.Amount == 0
		fmt.Fprintln(table, strings.Join(append([]string{m.Balance.Text, m.Held.Text, m.Pocket.Text}, limits(m)...), "\t")+"\t")
	}
	if err := table.Flush(); err != nil || !empty || args.Do == "" {
		return err
	}
	fmt.Fprintln(c.out, "There is nothing on it: is that the account you mean?")
	return nil
}

// standing says whether a wallet pays.
func standing(p app.Purse) string {
	var told []string
	if p.Stopped {
		told = append(told, "stopped by the operator")
	}
	switch frozen := "frozen since " + p.Frozen.Local().Format(time.DateTime); {
	case p.Shut && p.Keys > 0:
		told = append(told, frozen+", and none of its keys can open it (pay keys)")
	case p.Shut:
		told = append(told, frozen+", and it has no key that could open it")
	case !p.Frozen.IsZero():
		told = append(told, frozen)
	}
	if told == nil {
		return "open"
	}
	return strings.Join(told, "; ")
}

// limits are what may be spent in a unit: by a payment, in a day, today still; and from how much on the PIN is asked for anew.
func limits(m app.PurseMoney) []string {
	if m.Nothing {
		return []string{"nothing", "nothing", "nothing", ""}
	}
	left := "no limit"
	if m.Day.Amount > 0 {
		left = m.Left.Text
	}
	pin := "never"
	if m.StepUp.Amount > 0 {
		pin = m.StepUp.Text
	}
	return []string{limit(m.Transaction), limit(m.Day), left, pin}
}

func limit(m app.Money) string {
	if m.Amount == 0 {
		return "no limit"
	}
	return m.Text
}

var payCirculation = subcommand{
	name: "pay circulation", summary: "tells what there is of each unit, and where: issued, in wallets, in pockets, held, fees",
	help:  "Issued is what was issued by hand less what was withdrawn; what networks outside have brought is in wallets, too (pay rails, ledger balance).",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, _ []string) error {
		var all []app.UnitSums
		if err := c.ask(ctx, "pay/circulation", struct{}{}, &all); err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', tabwriter.AlignRight)
		if !c.json {
			fmt.Fprintln(table, "ISSUED\tIN WALLETS\tOF THAT HELD\tIN POCKETS\tFEES\tWALLETS\t")
		}
		for _, u := range all {
			if err := c.row(table, u, u.Issued.Text, u.Wallets.Text, u.Held.Text, u.Pockets.Text, u.Fees.Text, strconv.FormatInt(u.WalletAccounts, 10), ""); err != nil {
				return err
			}
		}
		return table.Flush()
	},
}

var paySuspicions = subcommand{
	name: "pay suspicions", summary: "lists what somebody should look at, of the last seven days",
	help:  "The rules are in docs/payments.md (Worth a look). They accuse nobody, and nothing follows by itself; pay stop keeps a wallet as it is meanwhile.",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, _ []string) error {
		var all []pay.Suspicion
		if err := c.ask(ctx, "pay/suspicions", struct{}{}, &all); err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		for _, s := range all {
			if err := c.row(table, s, s.At.Local().Format(time.DateTime), s.Kind, s.Account, s.Payment, quoted(s.About)); err != nil {
				return err
			}
		}
		return table.Flush()
	},
}

var payAudit = subcommand{
	name: "pay audit", summary: "lists what administrators and the command line have done, the newest first",
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		set.StringVar(&c.ledger.since, "since", "", "from this `time` on: a day, or 2026-11-22T12:00:00Z; without it, all")
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		since, err := moment(c.ledger.since)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		for args := (app.AuditArgs{}); ; {
			var page []pay.Deed
			if err := c.ask(ctx, "pay/audit", args, &page); err != nil {
				return err
			}
			for _, d := range page {
				if args.Before = d.ID; d.At().Before(since) {
					return table.Flush()
				}
				if err := c.row(table, d, d.At().Local().Format(time.DateTime), d.Who, d.What, d.Account, quoted(d.About)); err != nil {
					return err
				}
			}
			if len(page) < app.OfficePage {
				return table.Flush()
			}
		}
	},
}
