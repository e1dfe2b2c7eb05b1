package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// talk is one run of the terminal client: a session, a device and what was read.
type talk struct {
	c      *client.Client
	device *e2e.Endpoint
	inbox  *client.Inbox
	notes  *notes
	show   func(heard) error
	clear  bool
	warn   io.Writer
	ready  chan struct{} // closed when device is there
}

// heard is a message to show.
type heard struct {
	ID        string    `json:"id,omitempty"`
	Archive   string    `json:"archive,omitempty"` // the archive's id, by which a reader may recognise a message
	Time      time.Time `json:"time"`
	From      string    `json:"from"`
	To        string    `json:"to,omitempty"`
	Body      string    `json:"body"`
	Encrypted bool      `json:"encrypted"`
	Trust     string    `json:"trust,omitempty"`
	Sent      bool      `json:"sent,omitempty"`
	Problem   string    `json:"problem,omitempty"` // why it cannot be read
}

// print writes one message on one line; in text, line breaks within it are indented.
func (h heard) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(h)
	}
	mark := " "
	switch {
	case h.Problem != "":
		h.Body = "[cannot be read: " + h.Problem + "]"
	case !h.Encrypted:
		mark = " (in clear) "
	case h.Trust != omemo.Verified.String() && h.Trust != omemo.Blind.String():
		mark = " (" + h.Trust + ") "
	}
	who := h.From
	if h.Sent {
		who = "you to " + h.To
	}
	_, err := fmt.Fprintf(w, "%s %s:%s%s\n", h.Time.Local().Format("2006-01-02 15:04"), who, mark, strings.ReplaceAll(harmless(h.Body), "\n", "\n    "))
	return err
}

// harmless takes out what would move the cursor or colour the terminal.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// openTalk logs in. With show it will listen: everything that arrives goes there.
func (c *call) openTalk(ctx context.Context, show func(heard) error) (*talk, error) {
	if c.chat.account == "" {
		c.chat.account = os.Getenv("PALABRE_ACCOUNT")
	}
	account, err := xmpp.ParseJID(c.chat.account)
	if err != nil || account.Local() == "" {
		return nil, fmt.Errorf("-account: %q is not the address of an account", c.chat.account)
	}
	notes, err := openNotes(account, c.chat.device)
	if err != nil {
		return nil, err
	}
	t := &talk{notes: notes, show: show, clear: c.chat.clear, warn: c.err, ready: make(chan struct{})}
	if err := t.connect(ctx, c, account); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *talk) connect(ctx context.Context, c *call, account xmpp.JID) error {
	cfg, err := c.clientConfig(account, t.notes)
	if err != nil {
		return err
	}
	if t.show != nil {
		t.inbox = client.NewInbox(t.notes.Mark, time.Time{}, t.take)
		t.inbox.Join(&cfg)
	}
	if t.c, err = client.New(cfg); err != nil {
		return err
	}
	if err := t.c.Connect(ctx); err != nil {
		return err
	}
	if t.clear && t.show == nil {
		return nil
	}
	if t.device, err = e2e.Open(ctx, t.c, t.notes.keys, nil); err != nil {
		return err
	}
	close(t.ready)
	return t.device.Start(ctx)
}

// clientConfig is that of the session.
func (c *call) clientConfig(account xmpp.JID, notes *notes) (client.Config, error) {
	methods := map[string]client.Method{"auto": client.Auto, "starttls": client.StartTLS, "tls": client.DirectTLS, "websocket": client.WebSocket}
	method, ok := methods[c.chat.method]
	if !ok {
		return client.Config{}, fmt.Errorf("-method: %q is none of auto, starttls, tls, websocket", c.chat.method)
	}
	if strings.HasPrefix(c.chat.server, "ws://") || strings.HasPrefix(c.chat.server, "wss://") {
		method = client.WebSocket
	}
	cfg := client.Config{JID: account, Method: method, Server: c.chat.server, AgentID: notes.Agent, Software: "palabre chat", Device: c.chat.device,
		Token: notes.Token, Name: "palabre chat", Category: "client/console", Features: e2e.Features, Carbons: true,
		OnToken: func(token client.Token) {
			if err := notes.update(func(s *saved) { s.Token = token }); err != nil {
				fmt.Fprintln(c.err, "palabre:", err)
			}
		}}
	var err error
	if cfg.Roots, err = rootsIn(c.chat.ca); err != nil {
		return cfg, err
	}
	cfg.Password, err = c.chatPassword(notes.Token.Secret != "")
	return cfg, err
}

// rootsIn reads certificate authorities; nil, which means the system's, without a file.
func rootsIn(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return roots, nil
}

// chatPassword takes the password from where there is one, and asks for it only if nothing else will do.
func (c *call) chatPassword(hasToken bool) (string, error) {
	if c.passwordFile != "" {
		file, err := os.Open(c.passwordFile)
		if err != nil {
			return "", err
		}
		defer file.Close()
		return firstLine(file)
	}
	if password := os.Getenv("PALABRE_PASSWORD"); password != "" || hasToken {
		return password, nil
	}
	terminal, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return "", errors.New("a password is needed: PALABRE_PASSWORD or -password-file")
	}
	fmt.Fprintf(c.err, "Password of %s: ", c.chat.account)
	password, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(c.err)
	return string(password), err
}

// say sends a text and returns when the server has it.
func (t *talk) say(ctx context.Context, to xmpp.JID, text string) error {
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", ID: t.c.NewID(), To: to}
	if t.clear {
		st.Add(xmpp.NewText(xmpp.NSClient, "body", text))
		return t.c.SendAcked(ctx, st)
	}
	st, skipped, err := t.device.EncryptFor(ctx, st, text, to.Bare())
	for _, s := range skipped {
		fmt.Fprintf(t.warn, "not for device %s: %v\n", s.Address, s.Reason)
	}
	if errors.Is(err, e2e.ErrNoDevices) {
		return fmt.Errorf("%w; -no-encrypt sends in clear", err)
	}
	if err != nil {
		return err
	}
	return t.c.SendAcked(ctx, st)
}

// listen shows everything since the last time and what comes, until show ends it; caughtUp is called when nothing old is left.
func (t *talk) listen(ctx context.Context, caughtUp func() error) error {
	t.device.BeginCatchUp()
	return t.inbox.Run(ctx, t.c, func(ctx context.Context) error {
		if err := t.device.EndCatchUp(ctx); err != nil {
			return err
		}
		return caughtUp()
	})
}

// take is given every message by the inbox. What is shown is noted afterwards.
func (t *talk) take(ctx context.Context, letter client.Letter) error {
	select {
	case <-t.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !t.device.Notice(ctx, letter.Message) {
		if h, ok := t.hear(ctx, letter); ok {
			if err := t.show(h); err != nil && !errors.Is(err, errEnough) {
				return err
			} else if err != nil {
				return errors.Join(err, t.noted(letter))
			}
		}
	}
	return t.noted(letter)
}

func (t *talk) noted(letter client.Letter) error {
	if letter.Mark.ID == "" {
		return nil
	}
	return t.notes.update(func(s *saved) { s.Mark = letter.Mark })
}

// hear makes of a message what is to be shown, if anything is.
func (t *talk) hear(ctx context.Context, letter client.Letter) (heard, bool) {
	st := letter.Message
	h := heard{ID: st.ID, Archive: letter.Mark.ID, Time: letter.Time, From: st.From.Bare().String(), To: st.To.Bare().String(), Sent: letter.Sent}
	if st.IsError() {
		return h, false
	}
	opened, err := t.device.Decrypt(ctx, st, letter.Mark.ID)
	switch {
	case errors.Is(err, e2e.ErrClear):
		h.Body = st.Body()
	case errors.Is(err, omemo.ErrNotForUs), errors.Is(err, omemo.ErrDuplicate):
		return h, false
	case err != nil:
		h.Encrypted, h.Problem = true, err.Error()
		return h, true
	default:
		h.Encrypted, h.Body, h.Trust = true, opened.Body, opened.Trust.String()
	}
	return h, h.Body != ""
}

// farewell sees to it that what the sessions owe is sent before the end.
func (t *talk) farewell() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := t.device.EndCatchUp(ctx); err != nil {
		return err
	}
	return t.c.Flush(ctx)
}

func (t *talk) close() {
	if t.c != nil {
		t.c.Close()
	}
	if err := t.notes.close(); err != nil {
		fmt.Fprintln(t.warn, "palabre:", err)
	}
}
