package roster

import (
	"sync"

	"palabre.dev/palabre/xmpp"
)

// shared keeps what many sessions say alike once: most devices of one app have the same presence but for its address.
type shared struct {
	mu    sync.Mutex // guards nodes
	nodes map[string][]xmpp.Node
}

// maxShared is how many different presences are shared before the table begins anew.
const maxShared = 4096

// maxSharedBytes is how long a presence may be to be shared.
const maxSharedBytes = 1024

// compact is presence as it is kept with a session: without an id, its children shared with those of others.
func (s *shared) compact(st *xmpp.Stanza, from xmpp.JID) *xmpp.Stanza {
	kept := &xmpp.Stanza{Kind: st.Kind, Type: st.Type, Lang: st.Lang, From: from, Nodes: st.Nodes, Extra: st.Extra}
	if len(st.Nodes) == 0 {
		return kept
	}
	text := (&xmpp.Stanza{Kind: xmpp.Presence, Nodes: st.Nodes}).Append(nil)
	if len(text) > maxSharedBytes {
		return kept
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if nodes, ok := s.nodes[string(text)]; ok {
		kept.Nodes = nodes
		return kept
	}
	if s.nodes == nil || len(s.nodes) >= maxShared {
		s.nodes = map[string][]xmpp.Node{}
	}
	s.nodes[string(text)] = st.Nodes
	return kept
}
