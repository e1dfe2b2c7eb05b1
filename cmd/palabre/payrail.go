package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/rail"
)

var payRails = subcommand{
	name: "pay rails", summary: "tells how the networks outside stand: transfers, unknown ones, reports of the nights",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, _ []string) error {
		var v app.RailView
		if err := c.ask(ctx, "pay/rails", app.RailArgs{}, &v); err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		for _, f := range v.Figures {
			if err := c.row(table, f, "rail", f.Rail, f.State.String(), strconv.FormatInt(f.Count, 10)); err != nil {
				return err
			}
		}
		for _, w := range v.Waiting {
			if err := c.row(table, w, "waiting", w.Rail, w.Kind.String(), strconv.FormatInt(w.Count, 10), "oldest of "+w.Oldest.Local().Format(time.DateTime)); err != nil {
				return err
			}
		}
		for _, t := range v.Unknown {
			if err := c.row(table, t, "unknown", t.ID, t.Rail, t.Kind.String(), rail.Decimal(t.Amount, t.Exponent)+" "+t.Unit, t.UnknownSince.Local().Format(time.DateTime), quoted(t.Why)); err != nil {
				return err
			}
		}
		for _, one := range v.Verdicts {
			if err := c.row(table, one, "verdict", strconv.FormatInt(one.Number, 10), one.Transfer, one.State.String(), one.Proposer, quoted(one.Why)); err != nil {
				return err
			}
		}
		for _, r := range v.Reports {
			if err := c.row(table, r, "report", strconv.FormatInt(r.Number, 10), r.Rail, r.Since.Format(time.DateOnly), fmt.Sprintf("%d lines, %d differences", r.Lines, r.Differences)); err != nil {
				return err
			}
		}
		return table.Flush()
	},
}

var payRail = subcommand{
	name: "pay rail", usage: "TRANSFER", summary: "tells all that has become of one transfer by a rail",
	run: func(ctx context.Context, c *call, args []string) error {
		id, err := one(args)
		if err != nil {
			return err
		}
		var t app.RailTransfer
		if err := c.ask(ctx, "pay/rail", app.RailArgs{ID: id}, &t); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s: %s by %s, %s %s, %s; there %q\n", t.ID, t.Kind, t.Rail, rail.Decimal(t.Amount, t.Exponent), t.Unit, t.State, t.Reference)
		for _, s := range t.Steps {
			fmt.Fprintf(c.out, "  %s  %-9s %s\n", s.At.Local().Format(time.DateTime), s.State, quoted(s.Why))
		}
		return nil
	},
}

var payReport = subcommand{
	name: "pay report", usage: "REPORT", summary: "tells in what our list and a network's differed; pay rails has the numbers of reports",
	run: func(ctx context.Context, c *call, args []string) error {
		which, err := numbered(args)
		if err != nil {
			return err
		}
		var all []rail.Difference
		if err := c.ask(ctx, "pay/report", app.RailArgs{Number: which}, &all); err != nil {
			return err
		}
		for _, d := range all {
			fmt.Fprintf(c.out, "%-13s %s %q: here %d, there %d %s %s\n", d.Kind, d.ID, d.Reference, d.Here, d.There, d.Unit, d.Note)
		}
		return nil
	},
}

var payAsk = subcommand{
	name: "pay ask", usage: "TRANSFER", summary: "has a network asked about a transfer now",
	run: func(ctx context.Context, c *call, args []string) error {
		id, err := one(args)
		if err != nil {
			return err
		}
		return c.ask(ctx, "pay/ask", app.RailArgs{ID: id}, &struct{}{})
	},
}

var payVerdict = subcommand{
	name: "pay verdict", usage: "TRANSFER settled|rejected WHY", summary: "proposes what to say about a transfer that is unknown, for who knows it from elsewhere",
	help: "It is booked as if the network had said so, once an administrator agrees in the web client (Settings, Administration, Networks);\nwhat an administrator has proposed there is agreed to here with pay agree, and ended with pay disagree, as what was proposed here is. Where payments run alone, two people say so here, each with their name (-as).",
	flags: func(c *call, set *flag.FlagSet) {
		asFlag(c, set)
		set.Int64Var(&c.amount, "amount", 0, "that so much was moved, in the smallest part of the unit")
	},
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 3 || args[1] != "settled" && args[1] != "rejected" {
			return errors.New("pay verdict needs a transfer, settled or rejected, and the reason")
		}
		var v rail.Verdict
		if err := c.ask(ctx, "pay/verdict", app.RailArgs{ID: args[0], State: args[1], Amount: c.amount, Why: args[2], As: c.as}, &v); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "verdict %d: %s is %s\n", v.Number, v.Transfer, v.State)
		return nil
	},
}

var payAgree = subcommand{
	name: "pay agree", usage: "VERDICT", summary: "lets hold what an administrator has proposed about a transfer that is unknown",
	flags: asFlag,
	run: func(ctx context.Context, c *call, args []string) error {
		which, err := numbered(args)
		if err != nil {
			return err
		}
		var t rail.Transfer
		if err := c.ask(ctx, "pay/agree", app.RailArgs{Number: which, As: c.as}, &t); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s is %s\n", t.ID, t.State)
		return nil
	},
}

var payDisagree = subcommand{
	name: "pay disagree", usage: "VERDICT", summary: "ends what was proposed about a transfer that is unknown: nothing is booked",
	help:  "Who has proposed it withdraws it, anybody else refuses it. The transfer stays unknown, and something else may be proposed about it.",
	flags: asFlag,
	run: func(ctx context.Context, c *call, args []string) error {
		which, err := numbered(args)
		if err != nil {
			return err
		}
		var v rail.Verdict
		if err := c.ask(ctx, "pay/disagree", app.RailArgs{Number: which, As: c.as}, &v); err != nil {
			return err
		}
		how := "refused"
		if v.Approver == v.Proposer {
			how = "withdrawn"
		}
		fmt.Fprintf(c.out, "verdict %d is %s; nothing is booked for %s\n", v.Number, how, v.Transfer)
		return nil
	},
}

// numbered is the one argument, a number.
func numbered(args []string) (int64, error) {
	text, err := one(args)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number; pay rails tells them", text)
	}
	return n, nil
}
