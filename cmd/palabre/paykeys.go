package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/pay"
)

var payKeys = subcommand{
	name: "pay keys", usage: "ACCOUNT", summary: "lists the payment keys of somebody: their id, since when, what for, what the owner calls the device, and whether it works",
	help: "A key is of the kind pin, passkey or offline (for payments without network alone). One that opens a wallet that is frozen worked already when it was, and is not locked because of wrong PINs; the others wait anew once it is open.\n" +
		"Its owner drops a key by another one; pay keep is for who cannot.",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, args []string) error {
		account, err := one(args)
		if err != nil {
			return errors.New("pay keys needs an account")
		}
		var all []pay.WalletKey
		if err := c.ask(ctx, "pay/keys", app.PurseArgs{Account: c.address(account)}, &all); err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		for _, k := range all {
			opens := ""
			if k.Opens {
				opens = "opens the wallet"
			}
			if err := c.row(table, k, k.ID, k.Added.Local().Format(time.DateTime), k.Kind, quoted(k.Name), working(k, time.Now()), opens); err != nil {
				return err
			}
		}
		return table.Flush()
	},
}

// working says whether a key works, else until when it does not.
func working(k pay.WalletKey, now time.Time) string {
	wrong := ""
	if k.Wrong > 0 {
		wrong = fmt.Sprintf(", wrong PINs: %d", k.Wrong)
	}
	switch {
	case !k.Locked.IsZero():
		return "no PIN is tried until " + k.Locked.Local().Format(time.DateTime) + wrong
	case now.Before(k.Ready):
		return "waits until " + k.Ready.Local().Format(time.DateTime) + wrong
	case !k.Opens && k.Kind != "offline":
		return "waits until the wallet is open" + wrong
	}
	return "ready" + wrong
}

var payKeep = subcommand{
	name: "pay keep", usage: "ACCOUNT [KEY...]", summary: "proposes which payment keys of somebody stay; all others are dropped, also what is added meanwhile",
	help: "For who cannot drop them: their PIN is forgotten, their devices are lost, or somebody else has added a key. Make sure who they are, and ask what their device calls its key and when they made it.\n" +
		"KEY is an id of pay keys (ids that begin with - come last, after --); without one, none stays: then their device makes a new key, which works after new_device. Locks of keys that stay\n" +
		"end. If the wallet is frozen, a key that stays and worked when it was opens it, by the right PIN; if none of them did, it is open, and they wait anew.\n" + fourEyes,
	flags: func(c *call, set *flag.FlagSet) {
		asFlag(c, set)
		set.StringVar(&c.why, "why", "", "the `reason`, which must be there: it is in the audit log")
	},
	run: func(ctx context.Context, c *call, args []string) error {
		if len(args) == 0 || strings.TrimSpace(c.why) == "" {
			return errors.New("pay keep needs an account, the ids of the keys that stay (pay keys tells them), and the reason: -why")
		}
		return c.propose(ctx, app.ProposalArgs{Kind: pay.KeepKeys, Account: c.address(args[0]), Of: strings.Join(args[1:], " "), Why: c.why})
	},
}
