package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// chatOptions are what the chat commands take.
type chatOptions struct {
	account, server, method, ca, device string
	clear                               bool
	to                                  string
	lines                               bool
	count                               int
	once, sent                          bool
	timeout                             time.Duration
}

const chatHelp = `The account's password is taken from the environment variable PALABRE_PASSWORD, from -password-file, or asked for at a terminal; after
the first login a token takes its place. Keys and what was read last are kept in $XDG_DATA_HOME/palabre/chat (~/.local/share), so
that one device stays one device. Messages are encrypted (OMEMO) unless -no-encrypt is given.`

var chat = subcommand{
	name: "chat", usage: "-account JID [-to JID]", summary: "a small terminal client: type lines, /help tells more",
	help:  chatHelp,
	flags: func(c *call, set *flag.FlagSet) { chatFlags(c, set); toFlag(c, set) },
	run:   func(ctx context.Context, c *call, _ []string) error { return c.chatLines(ctx) },
}

var chatSend = subcommand{
	name: "chat send", usage: "-account JID -to JID < TEXT", summary: "sends what it reads as one message",
	help: "It ends successfully only after the server has acknowledged the message: then it will not be lost.\n\n" + chatHelp,
	flags: func(c *call, set *flag.FlagSet) {
		chatFlags(c, set)
		toFlag(c, set)
		set.BoolVar(&c.chat.lines, "lines", false, "each line is a message of its own")
		set.DurationVar(&c.chat.timeout, "timeout", time.Minute, "give up after this time")
	},
	run: func(ctx context.Context, c *call, _ []string) error { return c.chatSend(ctx) },
}

var chatReceive = subcommand{
	name: "chat receive", usage: "-account JID", summary: "prints the messages since the last time, and those that come",
	help: "A message is printed once: what was printed is noted after it was written. Only a crash between the two prints it again.\n\n" + chatHelp,
	flags: func(c *call, set *flag.FlagSet) {
		chatFlags(c, set)
		jsonFlag(c, set)
		set.IntVar(&c.chat.count, "count", 0, "end after `n` messages; 0 means never")
		set.BoolVar(&c.chat.once, "once", false, "end when all that the server had kept is printed")
		set.BoolVar(&c.chat.sent, "sent", false, "print also what other devices of the account have sent")
	},
	run: func(ctx context.Context, c *call, _ []string) error { return c.chatReceive(ctx) },
}

func chatFlags(c *call, set *flag.FlagSet) {
	passwordFlag(c, set)
	set.StringVar(&c.chat.account, "account", "", "the `JID` of the account; otherwise PALABRE_ACCOUNT")
	set.StringVar(&c.chat.server, "server", "", "`host:port` of the server, or its WebSocket address; looked up otherwise")
	set.StringVar(&c.chat.method, "method", "auto", "how to connect: auto, starttls, tls or websocket")
	set.StringVar(&c.chat.ca, "ca", "", "trust the certificate authorities in this `file` (PEM)")
	set.StringVar(&c.chat.device, "device", "default", "`name` of the device: each has its own keys")
	set.BoolVar(&c.chat.clear, "no-encrypt", false, "send without encryption")
}

func toFlag(c *call, set *flag.FlagSet) {
	set.StringVar(&c.chat.to, "to", "", "the `JID` to write to")
}

// maxText is the most bytes of one message.
const maxText = 100 << 10

// chatSend sends the input and waits for the acknowledgement.
func (c *call) chatSend(ctx context.Context) error {
	if c.chat.to == "" {
		return errors.New("to whom? -to JID")
	}
	to, err := xmpp.ParseJID(c.chat.to)
	if err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.chat.timeout)
	defer cancel()
	texts, err := c.texts()
	if err != nil {
		return err
	}
	talk, err := c.openTalk(ctx, nil)
	if err != nil {
		return err
	}
	defer talk.close()
	for _, text := range texts {
		if err := talk.say(ctx, to, text); err != nil {
			return fmt.Errorf("send to %s: %w", to, err)
		}
	}
	return nil
}

// texts are the messages in the input.
func (c *call) texts() ([]string, error) {
	const most = 64 * maxText
	all, err := io.ReadAll(io.LimitReader(c.in, most+1))
	if err != nil {
		return nil, fmt.Errorf("read the text: %w", err)
	}
	texts := []string{strings.TrimRight(string(all), "\r\n")}
	if c.chat.lines {
		texts = strings.FieldsFunc(texts[0], func(r rune) bool { return r == '\n' })
	}
	for _, text := range texts {
		if text == "" || len(text) > maxText || len(all) > most {
			return nil, fmt.Errorf("a message has 1 to %d bytes", maxText)
		}
	}
	if len(texts) == 0 {
		return nil, errors.New("there is nothing to send")
	}
	return texts, nil
}

// errEnough ends receiving.
var errEnough = errors.New("enough messages")

// chatReceive prints messages until there were enough.
func (c *call) chatReceive(ctx context.Context) error {
	left := c.chat.count
	show := func(heard heard) error {
		if heard.Sent && !c.chat.sent {
			return nil
		}
		if err := heard.print(c.out, c.json); err != nil {
			return err
		}
		if left--; left == 0 && !heard.Sent {
			return errEnough
		}
		return nil
	}
	talk, err := c.openTalk(ctx, show)
	if err != nil {
		return err
	}
	defer talk.close()
	if err := talk.c.SetPresence(ctx, client.Presence{}); err != nil {
		return err
	}
	err = talk.listen(ctx, func() error {
		if c.chat.once {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) || ctx.Err() != nil {
		return talk.farewell()
	}
	return err
}
