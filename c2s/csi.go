package c2s

import (
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// maxHeld bounds what is held back for an inactive client; then all of it goes out.
const maxHeld = 500

const nsRoom = "http://jabber.org/protocol/muc#user"

// held keeps what an inactive client can wait for (XEP-0352): the latest presence of each sender, chat states, and personal events. It goes
// out, in order, before anything that cannot wait.
type held struct {
	inactive bool
	all      []core.Delivery // one without bytes was replaced by a later one
	latest   map[heldKey]int // where in all
}

type heldKey struct {
	kind xmpp.Kind
	from xmpp.JID
	node string
}

func (h *held) len() int { return len(h.latest) }

// take keeps a delivery back, and reports whether it did and how many bytes it has replaced.
func (h *held) take(d core.Delivery) (replaced int, ok bool) {
	if !h.inactive || len(h.all) >= maxHeld {
		return 0, false
	}
	key, ok := canWait(d.Stanza)
	if !ok {
		return 0, false
	}
	if h.latest == nil {
		h.latest = map[heldKey]int{}
	}
	if i, before := h.latest[key]; before {
		replaced = h.all[i].Len()
		h.all[i] = core.Delivery{}
	}
	h.latest[key] = len(h.all)
	h.all = append(h.all, d)
	return replaced, true
}

// appendTo moves all that was held to the end of a queue.
func (h *held) appendTo(queue []core.Delivery) []core.Delivery {
	for _, d := range h.all {
		if d.Bytes != nil {
			queue = append(queue, d)
		}
	}
	h.all, h.latest = nil, nil
	return queue
}

// canWait says whether a stanza can wait, and which earlier one it makes needless.
func canWait(st *xmpp.Stanza) (heldKey, bool) {
	switch {
	case st.Kind == xmpp.Presence && (st.Type == "" || st.Type == "unavailable"):
		room := st.Child(nsRoom, "x") // a status there is about the client itself, or the room
		return heldKey{kind: st.Kind, from: st.From}, room.Child(nsRoom, "status") == nil
	case st.Kind == xmpp.Message && st.Type != "error":
		return messageCanWait(st)
	}
	return heldKey{}, false
}

// messageCanWait is true for a message that holds one personal event, or nothing but a chat state.
func messageCanWait(st *xmpp.Stanza) (heldKey, bool) {
	key := heldKey{kind: st.Kind, from: st.From}
	state := false
	for i := range st.Nodes {
		child := st.Nodes[i].Element
		if child == nil {
			continue
		}
		switch {
		case child.Space == "http://jabber.org/protocol/chatstates":
			state = true
		case child.Is("http://jabber.org/protocol/pubsub#event", "event"):
			items := child.Child(child.Space, "items")
			item := items.Child(child.Space, "item")
			key.node = items.Attr("node") + " " + item.Attr("id")
			return key, item != nil && count(items) == 1
		case child.Space == xmpp.NSHints || child.Local == "thread":
		default:
			return key, false
		}
	}
	return key, state
}

func count(e *xmpp.Element) (n int) {
	for range e.Children() {
		n++
	}
	return n
}

// setInactive follows what the client says of itself (XEP-0352 §4).
func (s *session) setInactive(inactive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.inactive = inactive
	if !inactive {
		s.release()
		s.kick()
	}
}
