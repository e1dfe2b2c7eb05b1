package main

import (
	"context"
	"fmt"
	"net"

	"palabre.dev/palabre/app/doctor"
)

var doctorCommand = subcommand{
	name: "doctor", summary: "looks for what keeps the server from working, and says what to do",
	help: "It checks the data folder, disk, database, clock, certificate, DNS names, ports and what protects payments, and changes nothing. It fails if something is bad.",
	run: func(ctx context.Context, c *call, _ []string) error {
		if c.config != "" {
			fmt.Fprintln(c.out, "ok    configuration", c.config)
		}
		bad := doctor.New(c.cfg, net.DefaultResolver).Examine(ctx, func(f doctor.Finding) {
			fmt.Fprintf(c.out, "%s  %s\n", f.Level, f.What)
			if f.Do != "" {
				fmt.Fprintln(c.out, "        →", f.Do)
			}
		})
		if bad > 0 {
			return fmt.Errorf("%d things need attention", bad)
		}
		return nil
	},
}
