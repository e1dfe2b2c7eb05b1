package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/register"
)

var accountAdd = subcommand{
	name: "account add", usage: "NAME", summary: "makes an account and asks for its password",
	help:  "At a terminal an empty password makes one up and prints it. Elsewhere the password is the first line of the input.",
	flags: func(c *call, set *flag.FlagSet) { adminFlag(c, set); passwordFlag(c, set) },
	run: func(ctx context.Context, c *call, args []string) error {
		name, err := one(args)
		if err != nil {
			return err
		}
		password, made, err := c.password()
		if err != nil {
			return err
		}
		var result app.AccountResult
		if err := c.ask(ctx, "account/add", app.AccountArgs{Name: name, Password: password, Admin: c.admin}, &result); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "made", result.JID)
		if made {
			fmt.Fprintln(c.out, "its password is", password)
		}
		return nil
	},
}

var accountPasswd = subcommand{
	name: "account passwd", usage: "NAME", summary: "gives an account a new password",
	help:  "Its sessions end, and all its devices have to log in with the new one. The password is asked for as in account add.",
	flags: passwordFlag,
	run: func(ctx context.Context, c *call, args []string) error {
		name, err := one(args)
		if err != nil {
			return err
		}
		password, made, err := c.password()
		if err != nil {
			return err
		}
		var result app.AccountResult
		if err := c.ask(ctx, "account/passwd", app.AccountArgs{Name: name, Password: password}, &result); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "changed the password of", result.JID)
		if made {
			fmt.Fprintln(c.out, "it is", password)
		}
		return nil
	},
}

var (
	accountDisable = onAccount("disable", "disabled", "ends the sessions of an account and lets nobody log in to it; its data stays", false)
	accountEnable  = onAccount("enable", "enabled", "undoes account disable", false)
	accountRemove  = onAccount("remove", "removed", "deletes an account and all its data, for good", true)
	accountAdmin   = onAccount("admin", "made an administrator of", "makes an account an administrator, whose approvals count at once", false)
	accountMember  = onAccount("member", "made a member of", "makes an administrator an ordinary member", false)
)

// onAccount makes a subcommand that does one thing to one account.
func onAccount(verb, done, summary string, sure bool) subcommand {
	sub := subcommand{name: "account " + verb, usage: "NAME", summary: summary}
	if sure {
		sub.flags = func(c *call, set *flag.FlagSet) { set.BoolVar(&c.yes, "yes", false, "do not ask whether you are sure") }
	}
	sub.run = func(ctx context.Context, c *call, args []string) error {
		name, err := one(args)
		if err != nil {
			return err
		}
		if sure && !c.sure("This deletes "+name+" and all its data for good.") {
			return errors.New("nothing was done")
		}
		var result app.AccountResult
		if err := c.ask(ctx, "account/"+verb, app.AccountArgs{Name: name}, &result); err != nil {
			return err
		}
		fmt.Fprintln(c.out, done, result.JID)
		return nil
	}
	return sub
}

// pageSize is how many accounts are asked for at once.
const pageSize = 500

var accountList = subcommand{
	name: "account list", summary: "lists the accounts",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, _ []string) error {
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		if !c.json {
			fmt.Fprintln(table, "NAME\tROLE\tMADE\tLAST USED\tSTATE")
		}
		for after := ""; ; {
			var page []account.Entry
			if err := c.ask(ctx, "account/list", app.ListArgs{After: after, Max: pageSize}, &page); err != nil {
				return err
			}
			for _, e := range page {
				after = e.Name
				if err := c.list(table, e); err != nil {
					return err
				}
			}
			if len(page) < pageSize {
				return table.Flush()
			}
		}
	},
}

func (c *call) list(table io.Writer, e account.Entry) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(e)
	}
	seen, state := "never", "open"
	if !e.Seen.IsZero() {
		seen = e.Seen.Format(time.DateOnly)
	}
	if e.Disabled {
		state = "disabled"
	}
	_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.Name, e.Role, e.Created.Format(time.DateOnly), seen, state)
	return err
}

var invite = subcommand{
	name: "invite", summary: "makes an invitation link for a new account",
	flags: func(c *call, set *flag.FlagSet) {
		adminFlag(c, set)
		jsonFlag(c, set)
		set.StringVar(&c.name, "name", "", "the only `name` that the invitation is good for; nobody else can take it meanwhile")
		set.IntVar(&c.uses, "uses", 1, "how many accounts can be made with it")
		set.IntVar(&c.days, "days", 0, "how many days it is good for; 0 for the configured time")
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		var link register.Link
		args := app.InviteArgs{Name: c.name, Admin: c.admin, Uses: c.uses, Life: time.Duration(c.days) * 24 * time.Hour}
		if err := c.ask(ctx, "invite", args, &link); err != nil {
			return err
		}
		if c.json {
			return json.NewEncoder(c.out).Encode(link)
		}
		if link.Web != "" {
			fmt.Fprintln(c.out, "in a browser ", link.Web)
		}
		fmt.Fprintln(c.out, "in an app    ", link.URI)
		fmt.Fprintln(c.out, "good until   ", link.Expires.Local().Format(time.DateTime))
		return nil
	},
}

var status = subcommand{
	name: "status", summary: "tells how the server is",
	flags: jsonFlag,
	run: func(ctx context.Context, c *call, _ []string) error {
		var s app.Status
		if err := c.ask(ctx, "status", struct{}{}, &s); err != nil {
			return err
		}
		if c.json {
			return json.NewEncoder(c.out).Encode(s)
		}
		_, err := fmt.Fprintf(c.out, "version   %s\ndomain    %s\ndatabase  %s\naccounts  %d (%d disabled)\nsessions  %d\n", s.Version, s.Domain, s.Database, s.Accounts, s.Disabled, s.Sessions)
		return err
	},
}

var version = subcommand{
	name: "version", summary: "prints the version",
	run: func(_ context.Context, c *call, _ []string) error {
		_, err := fmt.Fprintln(c.out, app.Version())
		return err
	},
}

func adminFlag(c *call, set *flag.FlagSet) {
	set.BoolVar(&c.admin, "admin", false, "may administer the service")
}

func jsonFlag(c *call, set *flag.FlagSet) { set.BoolVar(&c.json, "json", false, "print JSON") }

func passwordFlag(c *call, set *flag.FlagSet) {
	set.StringVar(&c.passwordFile, "password-file", "", "read the password from the first line of this `file`")
}

// ask does an operation and reads its result.
func (c *call) ask(ctx context.Context, name string, args, result any) error {
	var out bytes.Buffer
	if err := app.Operate(ctx, c.cfg, name, args, nil, &out); err != nil {
		return err
	}
	return json.Unmarshal(out.Bytes(), result)
}

func one(args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New("one name is needed")
	}
	return args[0], nil
}

// password asks twice at a terminal, where an empty one makes one up, and reads one line elsewhere.
func (c *call) password() (password string, made bool, err error) {
	if c.passwordFile != "" {
		file, err := os.Open(c.passwordFile)
		if err != nil {
			return "", false, err
		}
		defer file.Close()
		password, err = firstLine(file)
		return password, false, err
	}
	terminal, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		password, err = firstLine(c.in)
		return password, false, err
	}
	for {
		fmt.Fprint(c.err, "Password (empty to make one up): ")
		first, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(c.err)
		if err != nil {
			return "", false, err
		}
		if len(first) == 0 {
			return strings.ToLower(rand.Text()[:16]), true, nil
		}
		fmt.Fprint(c.err, "Again: ")
		second, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(c.err)
		if err != nil {
			return "", false, err
		}
		if bytes.Equal(first, second) {
			return string(first), false, nil
		}
		fmt.Fprintln(c.err, "They differ; try again.")
	}
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// sure asks a person before something is lost.
func (c *call) sure(what string) bool {
	if c.yes {
		return true
	}
	fmt.Fprint(c.err, what, " Type yes to go on: ")
	answer, err := firstLine(c.in)
	return err == nil && answer == "yes"
}
