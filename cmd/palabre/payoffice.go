package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
)

const fourEyes = "Another pair of eyes approves it: an administrator in the web client (Settings, Administration, Payments). What an administrator has proposed is\napproved here with pay approve. Where payments run alone, two people do it here, each with their name (-as)."

// asFlag asks for the person, where payments run alone and know no administrators. Without it, it is who the machine says: who has called sudo, else the user.
func asFlag(c *call, set *flag.FlagSet) {
	name := os.Getenv("SUDO_USER")
	if me, err := user.Current(); err == nil && name == "" {
		name = me.Username
	}
	set.StringVar(&c.as, "as", name, "your `name`, where payments run alone (palabre pay): who approves has another one")
}

var payIssue = subcommand{
	name: "pay issue", usage: "ACCOUNT AMOUNT UNIT WHY", summary: "proposes to issue money of a closed unit into a wallet",
	flags: asFlag,
	help:  "AMOUNT is in the smallest part of the unit: 12500 of one with two digits is 125.00. " + fourEyes,
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 4 {
			return errors.New("pay issue needs an account, an amount, a unit and the reason")
		}
		amount, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no amount: write a whole number of the smallest part of the unit", args[1])
		}
		return c.propose(ctx, app.ProposalArgs{Kind: "issue", Account: c.address(args[0]), Amount: amount, Unit: args[2], Why: args[3]})
	},
}

var payCorrect = subcommand{
	name: "pay correct", usage: "PAYMENT WHY", summary: "proposes to take back what was issued by mistake",
	help: "PAYMENT is the id of what was issued, office-… in the history and the book. Only as much is taken back as is still there. " + fourEyes,
	flags: func(c *call, set *flag.FlagSet) {
		asFlag(c, set)
		set.Int64Var(&c.amount, "amount", 0, "take back only so much, in the smallest part of the unit")
	},
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 2 {
			return errors.New("pay correct needs the id of what was issued and the reason")
		}
		return c.propose(ctx, app.ProposalArgs{Kind: "correct", Of: args[0], Amount: c.amount, Why: args[1]})
	},
}

var payRefund = subcommand{
	name: "pay refund", usage: "CASHIN WHY", summary: "proposes to send back by its rail what that has brought into a wallet, to where it came from",
	help: "CASHIN is the id of the cash-in, in the history and in pay rail. The amount is held in the wallet, also if that is stopped, and then the network is asked. " + fourEyes,
	flags: func(c *call, set *flag.FlagSet) {
		asFlag(c, set)
		set.Int64Var(&c.amount, "amount", 0, "send back only so much, in the smallest part of the unit")
	},
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 2 {
			return errors.New("pay refund needs the id of a cash-in and the reason")
		}
		return c.propose(ctx, app.ProposalArgs{Kind: "refund", Of: args[0], Amount: c.amount, Why: args[1]})
	},
}

// propose proposes, and says what comes next.
func (c *call) propose(ctx context.Context, args app.ProposalArgs) error {
	args.As = c.as
	var made []app.Proposal
	if err := c.ask(ctx, "pay/propose", args, &made); err != nil {
		return err
	}
	for _, p := range made {
		fmt.Fprintf(c.out, "proposal %d: %s %s, %s\nAnother pair of eyes approves it: palabre help pay issue says who.\n", p.ID, p.Kind, p.Text, p.Account)
	}
	return nil
}

var payProposals = subcommand{
	name: "pay proposals", summary: "lists what waits for a second administrator",
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		set.BoolVar(&c.decided, "decided", false, "those that were decided on, the newest 200")
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		var all []app.Proposal
		if err := c.ask(ctx, "pay/proposals", app.ProposalArgs{Decided: c.decided}, &all); err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		for _, p := range all {
			cells := []string{strconv.FormatInt(p.ID, 10), p.At().Local().Format(time.DateTime), p.Kind, p.Text, p.Account, p.State, p.Proposer, p.Approver, quoted(p.Why)}
			if err := c.row(table, p, cells...); err != nil {
				return err
			}
		}
		return table.Flush()
	},
}

// onProposal is a subcommand that decides on one.
func onProposal(name, summary, done string) subcommand {
	return subcommand{name: "pay " + name, usage: "PROPOSAL", summary: summary, flags: asFlag, run: func(ctx context.Context, c *call, args []string) error {
		text, err := one(args)
		if err != nil {
			return errors.New("the number of a proposal is needed; pay proposals tells them")
		}
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no number of a proposal; pay proposals tells them", text)
		}
		var decided []app.Proposal
		if err := c.ask(ctx, "pay/"+name, app.ProposalArgs{ID: id, As: c.as}, &decided); err != nil {
			return err
		}
		for _, p := range decided {
			fmt.Fprintf(c.out, "%s: %s %s, %s\n", done, p.Kind, p.Text, p.Account)
		}
		return nil
	}}
}

var (
	payApprove = onProposal("approve", "does what an administrator has proposed", "done")
	payDecline = onProposal("decline", "ends a proposal without doing it", "declined")
)
