package channel

import (
	"context"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// entryKind says what an entry of the log is; the numbers are stored.
type entryKind int64

const (
	postEntry    entryKind = iota // a post
	retractEntry                  // says that a post was taken back
	changeEntry                   // a change of the channel
	emptyEntry                    // the place of a post that was taken back or published anew
)

var insertEntry = store.NewInsert("channel_entry", "id", "channel", "after", "kind", "item", "author", "segments", "payload")

// entry is what goes into the log, and with it to who hears.
type entry struct {
	id, after int64 // set when it is written
	kind      entryKind
	item      string
	author    string // bare address
	segments  []string
	payload   string
}

// keep appends an entry within the transaction of ctx, which has read where the log ends. It may run more than once.
func (cs *Channels) keep(ctx context.Context, c *channel, s state, e *entry) error {
	e.id, e.after = cs.db.Next(), s.newest
	return cs.db.Append(ctx, insertEntry, e.id, c.id, e.after, int64(e.kind), e.item, e.author, join(e.segments), e.payload)
}

// heardStanza is what deliveries of entries count as; their bytes are shared.
var heardStanza = &xmpp.Stanza{Kind: xmpp.Message, Type: "headline"}

// shared are the bytes of an entry that all who hear get after the beginning of the tag: the event (XEP-0060 §7.1.2.1), and its place in the log. Without
// what it says it holds the place alone.
func (e *entry) shared(service xmpp.JID, node string, says bool) []byte {
	b := make([]byte, 0, len(e.payload)+len(node)*2+512)
	b = append(b, " type='headline' from='"...)
	b = xmpp.AppendEscapedAttr(b, service.String())
	b = append(b, "'>"...)
	if says {
		b = e.event(b, node)
	}
	b = attr(append(b, "<entry xmlns='"+NS+"'"...), "node", node)
	b = append(b, " id='"...)
	b = strconv.AppendInt(b, e.id, 10)
	b = append(b, "' after='"...)
	b = strconv.AppendInt(b, e.after, 10)
	return append(b, "'/></message>"...)
}

func attr(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), "='"...)
	return append(xmpp.AppendEscapedAttr(b, value), '\'')
}

// event is what an entry says, in the words of XEP-0060.
func (e *entry) event(b []byte, node string) []byte {
	const begin, end = "<event xmlns='" + nsEvent + "'>", "</event>"
	switch e.kind {
	case postEntry:
		b = append(attr(append(b, begin+"<items"...), "node", node), "><item"...)
		b = append(attr(attr(b, "id", e.item), "publisher", e.author), '>')
		b = append(b, e.payload...)
		return append(b, "</item></items>"+end...)
	case retractEntry:
		b = append(attr(append(b, begin+"<items"...), "node", node), "><retract"...)
		return append(attr(b, "id", e.item), "/></items>"+end...)
	case changeEntry:
		b = append(attr(append(b, begin+"<configuration"...), "node", node), "/>"+end...)
		return append(b, e.payload...)
	}
	return b
}

// tell gives what was kept to all who hear. It is called in the order of the log.
func (cs *Channels) tell(c *channel, e *entry) {
	if e.kind == postEntry && cs.waker != nil {
		if !cs.wakes.add(wake{c, e.author, e.segments, time.Now()}) {
			cs.counts.dropped.WithLabelValues("wake").Inc()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = e.id
	all := e.shared(cs.domain, c.name, true)
	var place []byte
	told := 0
	for _, h := range c.hearing {
		bytes := all
		if !isFor(e.segments, h.segments) {
			if !h.chained {
				continue
			}
			if place == nil {
				place = e.shared(cs.domain, c.name, false)
			}
			bytes = place
		}
		h.session.Deliver(core.Delivery{Stanza: heardStanza, Head: h.head, Bytes: bytes})
		told++
	}
	cs.counts.entries.Inc()
	cs.counts.deliveries.Add(float64(told))
}
