package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
)

var reports = subcommand{
	name: "reports", summary: "lists whom people have reported for spam or abuse",
	help: "People report when they block somebody in their app. Oldest first. Nothing follows by itself: account disable closes an account of\nyours.",
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		set.IntVar(&c.days, "days", 30, "of how many days")
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		if !c.json {
			fmt.Fprintln(table, "WHEN\tWHO\tWHY\tREPORTED BY\tIN THEIR WORDS")
		}
		for after := time.Now().AddDate(0, 0, -c.days); ; {
			var page []app.Report
			if err := c.ask(ctx, "reports", app.ReportsArgs{After: after, Max: pageSize}, &page); err != nil {
				return err
			}
			for _, r := range page {
				after = r.At
				if c.json {
					if err := json.NewEncoder(c.out).Encode(r); err != nil {
						return err
					}
					continue
				}
				words := ""
				if r.Words != "" {
					words = strconv.Quote(r.Words) // a stranger's words shall not steer a terminal
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.At.Local().Format(time.DateTime), r.JID, r.Kind, r.By, words)
			}
			if len(page) < pageSize {
				return table.Flush()
			}
		}
	},
}
