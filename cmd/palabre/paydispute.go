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
)

var payDisputes = subcommand{
	name: "pay disputes", summary: "lists disputes that have not ended; pay dispute tells one with what both sides have shown",
	help: "Those that were upheld are among them until the payee has given the money back.",
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		set.BoolVar(&c.decided, "decided", false, "those that have ended")
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		for args := (app.DisputeArgs{Decided: c.decided}); ; {
			var page []app.Dispute
			if err := c.ask(ctx, "pay/disputes", args, &page); err != nil {
				return err
			}
			for _, d := range page {
				args.Before = d.Made
				err := c.row(table, d, d.ID, time.UnixMicro(d.Made).Local().Format(time.DateTime), d.State, d.Sum, d.Payer+" to "+d.Payee, d.Why, strconv.Itoa(len(d.Evidence))+" shown", quoted(d.Text))
				if err != nil {
					return err
				}
			}
			if len(page) < app.OfficePage {
				return table.Flush()
			}
		}
	},
}

var payDispute = subcommand{
	name: "pay dispute", usage: "DISPUTE", summary: "tells all of one dispute: words, files that were shown, how it was decided",
	help:  "A file is at its address, mostly for a year. One that begins with aesgcm: is encrypted there; its key is the end of the address, so whoever has that reads the file. Look whether it has\nthe size and the hash (SHA-256, of what it is when it is open) before you believe it.",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, args []string) error {
		id, err := one(args)
		if err != nil {
			return errors.New("the id of a dispute is needed; pay disputes tells them")
		}
		return c.dispute(ctx, "pay/dispute", app.DisputeArgs{ID: id})
	},
}

// onDispute is a subcommand that decides on one.
func onDispute(name, summary, help string) subcommand {
	return subcommand{name: "pay " + name, usage: "DISPUTE WHY", summary: summary, help: help + "\n" + oneWithReason, flags: jsonAndAs,
		run: func(ctx context.Context, c *call, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("pay %s needs a dispute and the reason", name)
			}
			return c.dispute(ctx, "pay/"+name, app.DisputeArgs{ID: args[0], Why: args[1], As: c.as})
		}}
}

var (
	payUphold = onDispute("uphold", "decides that a dispute is right: the payee is asked to give the money back",
		"Both sides are told, with the reason. Nothing is moved by it: what somebody has, only they give back, with a refund that they sign. Until they have, the dispute is upheld and stays in pay disputes;\npay stop keeps their wallet as it is.")
	payDismiss = onDispute("dismiss", "decides that a dispute is not right: nothing is given back",
		"Both sides are told, with the reason.")
)

// dispute decides on one, if that is asked for, and tells how it stands.
func (c *call) dispute(ctx context.Context, name string, args app.DisputeArgs) error {
	var d app.Dispute
	if err := c.ask(ctx, name, args, &d); err != nil {
		return err
	}
	if c.json {
		return c.row(nil, d)
	}
	fmt.Fprintf(c.out, "%s is %s: %s of the payment %s, paid by %s to %s; %s %s\n", d.ID, d.State, d.Sum, d.Of, d.Payer, d.Payee, d.Why, quoted(d.Text))
	if d.Refunded > 0 {
		fmt.Fprintf(c.out, "  given back: %s\n", d.GivenSum)
	}
	if d.Decided != "" {
		fmt.Fprintf(c.out, "  decided: %s\n", quoted(d.Decided))
	}
	for _, e := range d.Evidence {
		fmt.Fprintf(c.out, "  %s  %s shows %s\n", e.At.Local().Format(time.DateTime), e.By, quoted(e.Text))
		if e.Address != "" {
			fmt.Fprintf(c.out, "    %s, %d bytes, SHA-256 %s\n    %s\n", quoted(e.Name), e.Size, e.Hash, quoted(e.Address))
		}
	}
	return nil
}
