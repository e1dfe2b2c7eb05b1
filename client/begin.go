package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// begin settles a new session: what the one before left behind, carbons and presence. Only then are new stanzas let through, so
// that the order stays. If that takes questions, it goes on beside the reader.
func (c *Client) begin(ctx context.Context, a *attempt, lost []*outgoing) {
	carbons := c.cfg.Carbons && !a.carbons
	if !carbons && !slices.ContainsFunc(lost, isMessage) {
		c.open(a.stream, lost, nil)
		return
	}
	c.begun.Go(func() {
		if carbons {
			c.enableCarbons(ctx, a.stream)
		}
		unsure, again := c.sortOut(ctx, a.stream, lost)
		c.open(a.stream, unsure, again)
	})
}

func isMessage(o *outgoing) bool { return o.stanza.Kind == xmpp.Message }

// open lets stanzas through: first the last presence, then those to be sent again, then those that were held. If the connection is
// gone already, those to be sent again are looked up anew on the next one.
func (c *Client) open(s *transport.Stream, unsure, again []*outgoing) {
	settle(unsure, ErrUnsure)
	c.mu.Lock()
	c.session.doubtful = nil
	c.wake()
	if c.stream != s {
		c.session.doubtful = again
		c.mu.Unlock()
		return
	}
	if c.presence != nil {
		c.put(&outgoing{stanza: c.presence, bytes: c.presence.Append(nil)})
	}
	c.session.held = append(again, c.session.held...)
	unmanaged := c.release()
	c.mu.Unlock()
	settle(unmanaged, ErrUnmanaged)
	if c.cfg.OnResend != nil {
		for _, o := range again {
			c.cfg.OnResend(o.stanza)
		}
	}
	c.tell(State{Online: true})
}

// sortOut finds out what became of stanzas that were on their way when a session was lost. Those found in an archive are settled at
// once; the others are returned: whose fate nobody can know, and which are to be sent again.
func (c *Client) sortOut(ctx context.Context, s *transport.Stream, lost []*outgoing) (unsure, again []*outgoing) {
	byArchive := map[archivePlace][]*outgoing{}
	for _, o := range lost {
		if isKept(o.stanza) {
			place := placeOf(o.stanza)
			byArchive[place] = append(byArchive[place], o)
		} else {
			unsure = append(unsure, o)
		}
	}
	found := map[*outgoing]bool{}
	for place, those := range byArchive {
		if !c.lookUp(ctx, s, place, those, found) {
			continue
		}
		// The server may still be at what it had read of the old connection: it is given a moment, and asked once more.
		if c.mayAskAgain(ctx, s, nil) {
			c.lookUp(ctx, s, place, those, found)
		}
	}
	for _, o := range lost {
		if isKept(o.stanza) && !found[o] {
			again = append(again, o)
		}
	}
	return unsure, again
}

// archivePlace is where messages to an address are kept: the archive of the account or of a room, and with whom.
type archivePlace struct{ archive, with xmpp.JID }

func placeOf(st *xmpp.Stanza) archivePlace {
	if st.Type == "groupchat" {
		return archivePlace{archive: st.To.Bare()}
	}
	return archivePlace{with: st.To.Bare()}
}

// Limits of looking for messages in the archive: how far back, which is far more than clocks differ, and how many pages.
const (
	lookBack      = 24 * time.Hour
	lookBackPages = 40
)

// lookUp marks those that an archive has, and reports whether some are missing. It gives up only when the archive says that it will
// never answer, or the connection is gone.
func (c *Client) lookUp(ctx context.Context, s *transport.Stream, place archivePlace, those []*outgoing, found map[*outgoing]bool) bool {
	missing := map[string]*outgoing{}
	for _, o := range those {
		if !found[o] {
			missing[o.stanza.ID] = o
		}
	}
	query := ArchiveQuery{Archive: place.archive, With: place.with, Start: time.Now().Add(-lookBack), Last: true, urgent: true}
	for pages := 0; pages < lookBackPages && len(missing) > 0; {
		page, err := c.Archive(ctx, query)
		if err != nil {
			if !c.mayAskAgain(ctx, s, err) {
				return false
			}
			continue
		}
		for _, entry := range page.Entries {
			if o := missing[entry.Message.ID]; o != nil && c.isOwn(place, entry.Message) {
				found[o] = true
				delete(missing, entry.Message.ID)
				settle([]*outgoing{o}, nil)
			}
		}
		if page.Complete || len(page.Entries) == 0 {
			break
		}
		query.Before = page.Entries[0].ID
		pages++
	}
	return len(missing) > 0
}

// isOwn reports whether an archived message is one that this account has sent.
func (c *Client) isOwn(place archivePlace, st *xmpp.Stanza) bool {
	if place.archive.IsZero() {
		return st.From.Bare() == c.Account()
	}
	return st.From.Bare() == place.archive // a room: ids are random, see NewID
}

// mayAskAgain waits a moment, after a failure if err is not nil, and reports whether to ask again on this connection.
func (c *Client) mayAskAgain(ctx context.Context, s *transport.Stream, err error) bool {
	if refusal := (*xmpp.Error)(nil); errors.As(err, &refusal) && refusal.Type != "wait" {
		c.log.Warn("archive does not answer; messages may be sent twice", "err", err)
		return false
	}
	pause := time.NewTimer(c.cfg.MinBackoff)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream == s && c.why == nil
}
