package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// desk is the interactive client: lines in, messages out.
type desk struct {
	*talk
	c   *call
	out io.Writer
	to  xmpp.JID
}

// errQuit ends the interactive client.
var errQuit = errors.New("quit")

// chatLines runs the interactive client until /quit or the end of the input.
func (c *call) chatLines(ctx context.Context) error {
	d := &desk{c: c, out: c.out}
	if c.chat.to != "" {
		var err error
		if d.to, err = xmpp.ParseJID(c.chat.to); err != nil {
			return fmt.Errorf("-to: %w", err)
		}
	}
	talk, err := c.openTalk(ctx, func(h heard) error { return h.print(c.out, false) })
	if err != nil {
		return err
	}
	defer talk.close()
	d.talk = talk
	if err := talk.c.SetPresence(ctx, client.Presence{}); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "You are %s. /help tells what you can do.\n", talk.c.Account())
	ctx, cancel := context.WithCancel(ctx)
	heard := make(chan error, 1)
	go func() {
		err := talk.listen(ctx, func() error { return nil })
		cancel() // the reader of lines ends at the next line
		heard <- err
	}()
	err = d.read(ctx)
	cancel()
	if listening := <-heard; !errors.Is(listening, context.Canceled) {
		return listening
	}
	return errors.Join(err, talk.farewell())
}

// read does what the lines say.
func (d *desk) read(ctx context.Context) error {
	lines := make(chan string)
	go func() { // it may stay in Read when the program ends: a terminal cannot be woken
		defer close(lines)
		in := bufio.NewScanner(d.c.in)
		in.Buffer(nil, maxText)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case line, more := <-lines:
			if !more {
				return nil
			}
			if err := d.do(ctx, strings.TrimSpace(line)); errors.Is(err, errQuit) {
				return nil
			} else if err != nil {
				fmt.Fprintln(d.out, "!", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// lineCommands are what can be typed beside text.
var lineCommands = []struct {
	name, usage, summary string
	run                  func(d *desk, ctx context.Context, args []string) error
}{
	{"/to", "JID", "write to this contact from now on", (*desk).setTo},
	{"/roster", "", "list your contacts", (*desk).roster},
	{"/add", "JID", "ask to be a contact, and let the other see when you are there", (*desk).add},
	{"/remove", "JID", "remove a contact", (*desk).remove},
	{"/fingerprint", "[JID]", "show your keys, or those of a contact, to compare them", (*desk).fingerprint},
	{"/trust", "JID KEY", "note that you have compared this key (its first digits are enough)", (*desk).trust},
	{"/distrust", "JID KEY", "write nothing for this key any more", (*desk).distrust},
	{"/quit", "", "end", func(*desk, context.Context, []string) error { return errQuit }},
}

func (d *desk) do(ctx context.Context, line string) error {
	switch {
	case line == "":
		return nil
	case !strings.HasPrefix(line, "/"):
		if d.to.IsZero() {
			return errors.New("to whom? /to JID")
		}
		return d.say(ctx, d.to, line)
	}
	words := strings.Fields(line)
	for _, known := range lineCommands {
		if known.name == words[0] {
			return known.run(d, ctx, words[1:])
		}
	}
	for _, known := range lineCommands {
		fmt.Fprintf(d.out, "  %-12s %-9s %s\n", known.name, known.usage, known.summary)
	}
	if words[0] != "/help" {
		return fmt.Errorf("there is no %s", words[0])
	}
	return nil
}

// contact reads the first word, or takes the current contact if there is none.
func (d *desk) contact(args []string) (xmpp.JID, error) {
	if len(args) > 0 {
		return xmpp.ParseJID(args[0])
	}
	if d.to.IsZero() {
		return xmpp.JID{}, errors.New("which contact? give an address")
	}
	return d.to, nil
}

func (d *desk) setTo(_ context.Context, args []string) error {
	jid, err := d.contact(args)
	if err == nil {
		d.to = jid
	}
	return err
}

func (d *desk) roster(ctx context.Context, _ []string) error {
	all, err := d.talk.c.Roster(ctx)
	if err != nil {
		return err
	}
	for _, contact := range all {
		fmt.Fprintf(d.out, "  %s %s (%s)\n", contact.JID, contact.Name, contact.Subscription)
	}
	fmt.Fprintf(d.out, "  %d contacts\n", len(all))
	return nil
}

func (d *desk) add(ctx context.Context, args []string) error {
	jid, err := d.contact(args)
	if err != nil {
		return err
	}
	if err := d.talk.c.Approve(ctx, jid); err != nil {
		return err
	}
	return d.talk.c.Subscribe(ctx, jid)
}

func (d *desk) remove(ctx context.Context, args []string) error {
	jid, err := d.contact(args)
	if err != nil {
		return err
	}
	return d.talk.c.RemoveContact(ctx, jid)
}

func (d *desk) fingerprint(ctx context.Context, args []string) error {
	if len(args) == 0 && d.to.IsZero() {
		fmt.Fprintf(d.out, "  %s  this device\n", d.device.Identity().Fingerprint())
		fmt.Fprintf(d.out, "  xmpp:%s?%s\n", d.talk.c.Account(), omemo.TrustParam(d.device.ID(), d.device.Identity()))
		return nil
	}
	jid, err := d.contact(args)
	if err != nil {
		return err
	}
	known, err := d.device.Identities(ctx, jid)
	if err != nil {
		return err
	}
	for _, k := range known {
		fmt.Fprintf(d.out, "  %s  %s\n", k.Identity.Fingerprint(), k.Trust)
	}
	fmt.Fprintf(d.out, "  %d keys of %s; yours is %s\n", len(known), jid, d.device.Identity().Fingerprint())
	return nil
}

func (d *desk) trust(ctx context.Context, args []string) error {
	return d.decide(ctx, args, omemo.Verified)
}

func (d *desk) distrust(ctx context.Context, args []string) error {
	return d.decide(ctx, args, omemo.Distrusted)
}

// minDigits of a fingerprint name a key: 64 bits, which nobody can forge by trying.
const minDigits = 16

// decide notes what a person thinks of a key.
func (d *desk) decide(ctx context.Context, args []string, trust omemo.Trust) error {
	if len(args) < 2 {
		return errors.New("give the address and the first digits of the key, at least 16")
	}
	jid, err := xmpp.ParseJID(args[0])
	if err != nil {
		return err
	}
	digits := strings.ToLower(strings.Join(args[1:], ""))
	if len(digits) < minDigits {
		return fmt.Errorf("at least %d digits are needed", minDigits)
	}
	known, err := d.device.Identities(ctx, jid)
	if err != nil {
		return err
	}
	for _, k := range known {
		if strings.HasPrefix(hex.EncodeToString(k.Identity[:]), digits) {
			return d.device.SetTrust(ctx, jid, k.Identity, trust)
		}
	}
	return fmt.Errorf("%s has no such key that has been seen", jid)
}
