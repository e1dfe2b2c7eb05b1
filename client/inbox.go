package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
)

// maxSeen is how many archive ids an Inbox remembers.
const maxSeen = 10000

// Mark says how far an Inbox has got: what it keeps across restarts of the program.
type Mark struct {
	ID   string    // the archive's id of the last message handed on
	Time time.Time // when that one was kept
}

// Letter is a message that an Inbox hands on.
type Letter struct {
	// Message is the message itself, without the wrapping of archive or carbon.
	Message *xmpp.Stanza
	// Sent says that this account has sent it, from whichever device.
	Sent bool
	// Archived says that it came out of the archive rather than live.
	Archived bool
	// Time is when the archive kept it, or now.
	Time time.Time
	// Mark is what to keep when the letter is kept; its ID is empty for a message that no archive has.
	Mark Mark
}

// Inbox hands on every message of the account once and in order, whether it came live, as a carbon or from the archive: what is missed
// between two sessions is read from the archive (XEP-0313) before anything live goes on. The program keeps Letter.Mark in the same
// step as the letter and gives it to NewInbox after a restart; then nothing is lost or doubled by a crash either. Messages that no
// archive keeps are handed on as they come, and are lost if nobody is there.
type Inbox struct {
	deliver func(ctx context.Context, letter Letter) error
	onState func(State)
	account xmpp.JID
	c       *Client
	turn    chan struct{} // holds one: who has it may touch what follows, and deliver
	catchUp chan struct{} // holds one: there may be something to catch up with
	gap     gap

	mark    Mark
	seen    map[string]bool
	order   []string        // of seen
	unnamed map[string]bool // live copies without an archive id
	failure error
}

// NewInbox makes an inbox that goes on after mark; for the zero Mark, from since on. If deliver returns an error the letter counts as
// not handed on, and the inbox stops with that error.
func NewInbox(mark Mark, since time.Time, deliver func(ctx context.Context, letter Letter) error) *Inbox {
	if mark.ID == "" {
		mark.Time = since
	}
	in := &Inbox{deliver: deliver, turn: make(chan struct{}, 1), catchUp: make(chan struct{}, 1), mark: mark, gap: gap{open: true},
		seen: map[string]bool{}, unnamed: map[string]bool{}}
	in.turn <- struct{}{}
	return in
}

// Join puts the inbox into the configuration of its client, as OnMessage and in front of OnState. The client must not be Lean.
func (in *Inbox) Join(cfg *Config) {
	in.onState, in.account = cfg.OnState, cfg.JID.Bare()
	cfg.OnMessage, cfg.OnState = in.take, in.state
}

// Run catches up with the archive whenever a new session began, until ctx or the client ends or deliver fails. caughtUp, if not nil,
// is called each time that nothing is left to catch up with.
func (in *Inbox) Run(ctx context.Context, c *Client, caughtUp func(ctx context.Context) error) error {
	in.c = c
	for {
		select {
		case <-in.catchUp:
		case <-c.Done():
			return c.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := in.readArchive(ctx); err != nil {
			if !in.retry(ctx, err) {
				return err
			}
			continue
		}
		if caughtUp != nil {
			if err := caughtUp(ctx); err != nil {
				return err
			}
		}
	}
}

// retry reports whether to go on after a failure: not after one of deliver, nor when the archive refuses.
func (in *Inbox) retry(ctx context.Context, err error) bool {
	refusal, refused := errors.AsType[*xmpp.Error](err)
	if in.failure != nil || ctx.Err() != nil || refused && refusal.Type != "wait" {
		return false
	}
	pause := time.NewTimer(in.c.cfg.MinBackoff)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	case <-in.c.Done():
	}
	in.signal()
	return true
}

func (in *Inbox) signal() {
	select {
	case in.catchUp <- struct{}{}:
	default:
	}
}

// state holds live messages back from the moment the connection is lost until it is certain that nothing is missing. It must not wait for
// the turn: who has it may be waiting for the server.
func (in *Inbox) state(s State) {
	if s.Online {
		in.signal()
	} else {
		in.gap.lost()
	}
	if in.onState != nil {
		in.onState(s)
	}
}

// take is the client's OnMessage.
func (in *Inbox) take(ctx context.Context, st *xmpp.Stanza) {
	letter, ok := in.open(st)
	if !ok {
		return
	}
	<-in.turn
	defer func() { in.turn <- struct{}{} }()
	if in.failure != nil || in.seen[letter.Mark.ID] {
		return
	}
	now, begin := true, false
	if letter.Mark.ID != "" {
		now, begin = in.gap.arrived(isLate(st))
	}
	if now {
		in.hand(ctx, letter)
	} else if begin {
		in.signal()
	}
}

// isLate tells a message that the server delivers some time after it came (XEP-0203). It may be one that was handed on before the program
// was restarted; the archive tells.
func isLate(st *xmpp.Stanza) bool { return st.Child(xmpp.NSDelay, "delay") != nil }

// open unwraps a live message. It reports false for what is not to be handed on.
func (in *Inbox) open(st *xmpp.Stanza) (Letter, bool) {
	letter := Letter{Message: st, Time: time.Now()}
	inner, sent, forged := Carbon(st, in.account)
	if forged {
		return letter, false
	}
	if inner != nil {
		letter.Message, letter.Sent = inner, sent
	}
	if at, err := xmpp.ParseTime(st.Child(xmpp.NSDelay, "delay").Attr("stamp")); err == nil {
		letter.Time = at
	}
	if id := StanzaID(letter.Message, in.account); id != "" {
		letter.Mark = Mark{id, letter.Time}
	}
	return letter, true
}

// hand delivers a letter that was not delivered before; turn is held.
func (in *Inbox) hand(ctx context.Context, letter Letter) {
	id := letter.Mark.ID
	if in.failure != nil || id != "" && in.seen[id] {
		return
	}
	name := letter.Message.From.String() + " " + letter.Message.ID
	if letter.Archived && in.unnamed[name] {
		delete(in.unnamed, name)
	} else if err := in.deliver(ctx, letter); err != nil {
		in.failure = fmt.Errorf("hand on a message: %w", err)
		in.signal()
		return
	}
	switch {
	case id != "":
		in.mark = letter.Mark
		in.remember(id)
	case isKept(letter.Message) && letter.Message.ID != "" && len(in.unnamed) < maxSeen:
		in.unnamed[name] = true
	}
}

func (in *Inbox) remember(id string) {
	in.seen[id] = true
	in.order = append(in.order, id)
	if len(in.order) > maxSeen {
		delete(in.seen, in.order[0])
		in.order = in.order[1:]
	}
}

// readArchive reads on after the mark until nothing is left, and then lets the live messages through.
func (in *Inbox) readArchive(ctx context.Context) error {
	<-in.turn
	mark, failure := in.mark, in.failure
	in.turn <- struct{}{}
	for after := mark.ID; failure == nil; {
		losses := in.gap.reading()
		query := ArchiveQuery{After: after}
		if after == "" {
			query.Start = mark.Time
		}
		page, err := in.c.Archive(ctx, query)
		switch {
		case errors.Is(err, xmpp.ItemNotFound) && after != "" && after == mark.ID:
			after = "" // the archive has expired the entry that the mark names
			continue
		case isAbsent(err):
			page = &ArchivePage{Complete: true}
		case err != nil:
			return err
		}
		if n := len(page.Entries); n > 0 {
			after = page.Entries[n-1].ID
		}
		if done, err := in.takePage(ctx, page, losses); done || err != nil {
			return err
		}
	}
	return failure
}

// isAbsent tells the refusal of a server that keeps no archive: then there is nothing to catch up with.
func isAbsent(err error) bool {
	return errors.Is(err, xmpp.ServiceUnavailable) || errors.Is(err, xmpp.FeatureNotImplemented)
}

// takePage delivers a page. It reports whether all is caught up with: the page is the last, and the gap is closed.
func (in *Inbox) takePage(ctx context.Context, page *ArchivePage, losses int) (done bool, err error) {
	<-in.turn
	defer func() { in.turn <- struct{}{} }()
	for _, entry := range page.Entries {
		in.hand(ctx, Letter{Message: entry.Message, Sent: entry.Message.From.Bare() == in.account, Archived: true, Time: entry.Time,
			Mark: Mark{entry.ID, entry.Time}})
	}
	if in.failure != nil {
		return false, in.failure
	}
	if !page.Complete && len(page.Entries) > 0 { // an empty page ends it whatever the server says
		return false, nil
	}
	return in.gap.read(losses), nil
}
