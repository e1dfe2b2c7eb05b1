// Command palabre runs and administers a Palabre messaging server. Each subcommand is a file of its own; `palabre help` lists them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"palabre.dev/palabre/app"
)

// subcommand is one thing that the program does.
type subcommand struct {
	name    string // one word, or two for those of a group
	usage   string // its arguments
	summary string // one line
	help    string // more, optional
	run     func(ctx context.Context, c *call, args []string) error
	// flags adds what the subcommand takes beside -config; optional.
	flags func(c *call, set *flag.FlagSet)
}

// subcommands is the table of contents; help shows it in this order.
var subcommands = []subcommand{
	serve, demoCommand, accountAdd, accountList, accountPasswd, accountDisable, accountEnable, accountRemove, accountAdmin, accountMember, invite, reports, channelList, channelMark, channelUnmark, status,
	payIssue, payCorrect, payRefund, payProposals, payApprove, payDecline,
	payWallet, payStop, payGoOn, payOpen, payKeys, payKeep, payLevel, payCirculation, payDisputes, payDispute, payUphold, payDismiss, paySuspicions, payAudit,
	payRails, payRail, payReport, payAsk, payVerdict, payAgree, payDisagree, ledgerVerify, ledgerList, ledgerStatement, ledgerBalance, ledgerExport,
	doctorCommand, backup, restore, exportAccounts, importAccounts, integrity, version,
	chatSend, chatReceive, chat,
	payServe, // after commands of two words that begin with it
}

// call is one run of the program.
type call struct {
	config   string
	cfg      app.Config
	in       io.Reader
	out, err io.Writer

	admin        bool
	passwordFile string
	name         string
	uses         int
	days         int
	json         bool
	yes          bool
	standby      bool
	data         string
	chat         chatOptions
	ledger       ledgerOptions
	amount       int64
	as           string
	decided      bool
	why          string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &call{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	if err := run(ctx, c, os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "palabre:", err)
		}
		stop()
		status := 1
		var other exit
		if errors.As(err, &other) {
			status = other.status
		}
		os.Exit(status)
	}
}

// exit is an error with a status of its own, for scripts.
type exit struct {
	status int
	error
}

// run finds the subcommand, reads its flags and the configuration, and runs it.
func run(ctx context.Context, c *call, args []string) error {
	if len(args) == 0 || slices.Contains(askHelp, args[0]) {
		return help(c, args)
	}
	sub, rest := find(args)
	if sub == nil && len(args) > 1 && slices.Contains(askHelp, args[1]) && helpOf(c.out, args[0]) {
		return nil
	}
	if sub == nil && len(args) == 1 && helpOf(c.err, args[0]) {
		return fmt.Errorf("%s does nothing alone; name one of its commands", args[0])
	}
	if sub == nil {
		return fmt.Errorf("there is no command %q; see palabre help", strings.Join(args[:min(2, len(args))], " "))
	}
	set := flag.NewFlagSet("palabre "+sub.name, flag.ContinueOnError)
	set.SetOutput(c.err)
	set.Usage = func() { sub.explain(set.Output(), set) }
	set.StringVar(&c.config, "config", defaultConfig(), "the configuration `file`; none means the defaults")
	if sub.flags != nil {
		sub.flags(c, set)
	}
	rest, err := parse(set, rest)
	if err != nil {
		return err
	}
	if c.cfg, err = app.LoadConfig(c.config); err != nil {
		return err
	}
	return sub.run(ctx, c, rest)
}

// parse reads flags before, between and after the arguments; after --, all are arguments, also those that begin with -.
func parse(set *flag.FlagSet, args []string) (plain []string, err error) {
	var last []string
	if at := slices.Index(args, "--"); at >= 0 {
		args, last = args[:at], args[at+1:]
	}
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			return append(plain, last...), nil
		}
		plain = append(plain, set.Arg(0))
		args = set.Args()[1:]
	}
}

// defaultConfig is the file that PALABRE_CONFIG names, else palabre.toml here, else the system's, else none.
func defaultConfig() string {
	if path := os.Getenv("PALABRE_CONFIG"); path != "" {
		return path
	}
	for _, path := range []string{"palabre.toml", "/etc/palabre/palabre.toml"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

func find(args []string) (*subcommand, []string) {
	for i := range subcommands {
		words := strings.Fields(subcommands[i].name)
		if len(args) >= len(words) && slices.Equal(words, args[:len(words)]) {
			return &subcommands[i], args[len(words):]
		}
	}
	return nil, nil
}

func (s *subcommand) explain(w io.Writer, set *flag.FlagSet) {
	fmt.Fprintf(w, "palabre %s %s\n\n%s\n", s.name, s.usage, s.summary)
	if s.help != "" {
		fmt.Fprintf(w, "\n%s\n", s.help)
	}
	if group := s.group(); len(group) > 0 {
		fmt.Fprintln(w, "\nCommands of its own:")
		tell(w, group)
	}
	fmt.Fprintln(w, "\nFlags:")
	set.PrintDefaults()
}

// askHelp are the words that ask for help instead of a command.
var askHelp = []string{"help", "-h", "-help", "--help"}

// helpOf tells the commands that begin with a word that is none itself, and whether there are some.
func helpOf(w io.Writer, word string) bool {
	group := (&subcommand{name: word}).group()
	if len(group) == 0 {
		return false
	}
	fmt.Fprintf(w, "Usage: palabre %s <command> [flags] [arguments]\n\n", word)
	tell(w, group)
	fmt.Fprintf(w, "\npalabre help %s <command> tells more.\n", word)
	return true
}

// group are the subcommands whose names begin with this one's.
func (s *subcommand) group() []subcommand {
	return slices.DeleteFunc(slices.Clone(subcommands), func(one subcommand) bool { return !strings.HasPrefix(one.name, s.name+" ") })
}

func tell(w io.Writer, some []subcommand) {
	for _, s := range some {
		fmt.Fprintf(w, "  %-18s %s\n", s.name, s.summary)
	}
}

func help(c *call, args []string) error {
	if len(args) > 1 {
		return run(context.Background(), c, append(slices.Clone(args[1:]), "-h"))
	}
	fmt.Fprint(c.out, "Palabre is a messaging server.\n\nUsage: palabre <command> [flags] [arguments]\n\n")
	tell(c.out, subcommands)
	fmt.Fprint(c.out, "\npalabre help <command> tells more. Settings are in docs/configuration.md.\n")
	return nil
}
