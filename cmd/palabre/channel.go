package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
)

var channelList = subcommand{
	name: "channel list", summary: "lists the channels of this server",
	help:  "A channel that is marked says so to everybody, with the reason that was given (channel mark). Who follows is counted, and known to nobody.",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, _ []string) error {
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		if !c.json {
			fmt.Fprintln(table, "NAME\tTITLE\tOWNERS\tFOLLOWERS\tMADE\tMARK")
		}
		for after := ""; ; {
			var page []app.Channel
			if err := c.ask(ctx, "channel/list", app.ChannelsArgs{After: after, Max: pageSize}, &page); err != nil {
				return err
			}
			for _, one := range page {
				after = one.Name
				if c.json {
					if err := json.NewEncoder(c.out).Encode(one); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", one.Name, strconv.Quote(one.Title), strings.Join(one.Owners, " "), one.Followers, one.Made.Local().Format(time.DateOnly), one.Mark)
			}
			if len(page) < pageSize {
				return table.Flush()
			}
		}
	},
}

var channelMark = subcommand{
	name: "channel mark", usage: "NAME REASON", summary: "says that a channel is whose it says it is, and why",
	help: "Everybody sees the mark and the reason, such as \"town hall of Verona, seen in person\". An earlier reason is replaced.",
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 2 || strings.TrimSpace(args[1]) == "" {
			return errors.New("channel mark needs the name of a channel and a reason")
		}
		return c.ask(ctx, "channel/mark", app.MarkArgs{Name: args[0], Reason: strings.TrimSpace(args[1])}, &struct{}{})
	},
}

var channelUnmark = subcommand{
	name: "channel unmark", usage: "NAME", summary: "takes the mark of a channel back",
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) != 1 {
			return errors.New("channel unmark needs the name of a channel")
		}
		return c.ask(ctx, "channel/mark", app.MarkArgs{Name: args[0]}, &struct{}{})
	},
}
