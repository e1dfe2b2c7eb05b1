package roster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// The nine states of RFC 6121 appendix A.1, by its names.
var named = map[string]State{
	"None": 0, "None+Out": Ask, "None+In": Request, "None+Out/In": Ask | Request, "To": To, "To+In": To | Request,
	"From": From, "From+Out": From | Ask, "Both": To | From,
}

// tables are those of RFC 6121 appendix A.2 (outbound) and A.3 (inbound): for each state, whether the stanza goes on, and the new state.
const tables = `
out subscribe
None yes None+Out
None+Out yes None+Out
None+In yes None+Out/In
None+Out/In yes None+Out/In
To yes To
To+In yes To+In
From yes From+Out
From+Out yes From+Out
Both yes Both
out unsubscribe
None yes None
None+Out yes None
None+In yes None+In
None+Out/In yes None+In
To yes None
To+In yes None+In
From yes From
From+Out yes From
Both yes From
out subscribed
None no None
None+Out no None+Out
None+In yes From
None+Out/In yes From+Out
To no To
To+In yes Both
From no From
From+Out no From+Out
Both no Both
out unsubscribed
None no None
None+Out no None+Out
None+In yes None
None+Out/In yes None+Out
To no To
To+In yes To
From yes None
From+Out yes None+Out
Both yes To
in subscribe
None yes None+In
None+Out yes None+Out/In
None+In no None+In
None+Out/In no None+Out/In
To yes To+In
To+In no To+In
From no From
From+Out no From+Out
Both no Both
in unsubscribe
None no None
None+Out no None+Out
None+In yes None
None+Out/In yes None+Out
To no To
To+In yes To
From yes None
From+Out yes None+Out
Both yes To
in subscribed
None no None
None+Out yes To
None+In no None+In
None+Out/In yes To+In
To no To
To+In no To+In
From no From
From+Out yes Both
Both no Both
in unsubscribed
None no None
None+Out yes None
None+In no None+In
None+Out/In yes None+In
To yes None
To+In yes None+In
From no From
From+Out yes From
Both yes From
`

type rule struct {
	goesOn bool
	next   State
}

// rfc is the tables as they are looked up: by "out subscribe" and state.
var rfc = func() map[string]map[State]rule {
	rules := map[string]map[State]rule{}
	var table string
	for _, line := range strings.Split(strings.TrimSpace(tables), "\n") {
		if words := strings.Fields(line); len(words) == 2 {
			table = line
			rules[table] = map[State]rule{}
		} else {
			rules[table][named[words[0]]] = rule{words[1] == "yes", named[words[2]]}
		}
	}
	return rules
}()

var kinds = []string{"subscribe", "unsubscribe", "subscribed", "unsubscribed"}

const four = To | From | Ask | Request

func TestTablesOfTheRFC(t *testing.T) {
	for _, kind := range kinds {
		if len(rfc["out "+kind]) != 9 || len(rfc["in "+kind]) != 9 {
			t.Fatalf("the table of %s is not whole", kind)
		}
		for was, want := range rfc["out "+kind] {
			if next, route := outbound(was|Listed, kind); next&four != want.next || route != want.goesOn {
				t.Errorf("outbound %s in %b: %b, routed %v; want %b, %v", kind, was, next&four, route, want.next, want.goesOn)
			}
		}
		for was, want := range rfc["in "+kind] {
			next, deliver, answer := inbound(was|Listed, kind)
			if next&four != want.next || deliver != want.goesOn || answer != (kind == "subscribe" && was&From != 0) {
				t.Errorf("inbound %s in %b: %b, delivered %v; want %b, %v", kind, was, next&four, deliver, want.next, want.goesOn)
			}
		}
	}
}

// model is what two accounts should hold of each other, moved by the tables alone.
type model struct{ state, approved [2]State }

// send is one subscription stanza from one account to the other, with the answer that a server gives by itself.
func (m *model) send(from int, kind string) {
	rule := rfc["out "+kind][m.state[from]]
	if kind == "subscribed" && !rule.goesOn && m.state[from]&From == 0 {
		m.approved[from] = Approved
	}
	if kind == "unsubscribed" {
		m.approved[from] = 0
	}
	m.state[from] = rule.next
	if rule.goesOn {
		m.receive(1-from, kind)
	}
}

func (m *model) receive(at int, kind string) {
	answers := kind == "subscribe" && m.state[at]&From != 0
	if kind == "subscribe" && m.approved[at] != 0 && !answers {
		m.state[at], answers = m.state[at]|From, true
	} else {
		m.state[at] = rfc["in "+kind][m.state[at]].next
	}
	if answers {
		m.receive(1-at, "subscribed")
	}
}

// remove is a contact taken out of a roster (RFC 6121 §2.5).
func (m *model) remove(from int) {
	was := m.state[from]
	m.state[from], m.approved[from] = was&Request, 0
	if was&(To|Ask) != 0 {
		m.receive(1-from, "unsubscribe")
	}
	if was&From != 0 {
		m.receive(1-from, "unsubscribed")
	}
}

// TestGeneratedOperations lets two accounts do anything in any order and compares rosters, memory and what their devices were pushed with
// the tables after every step.
func TestGeneratedOperations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		for round := range 12 {
			seed := uint64(round)
			dice := rand.New(rand.NewPCG(seed, 1))
			names := [2]string{fmt.Sprintf("romeo%d", round), fmt.Sprintf("juliet%d", round)}
			var devices [2]*coretest.Device
			var seen [2]*roster
			for i, name := range names {
				devices[i], seen[i] = w.online(name, "x"), &roster{}
			}
			m := &model{}
			var steps []string
			for range 40 {
				from := dice.IntN(2)
				steps = append(steps, operate(m, devices, from, dice.IntN(len(kinds)+2)))
				for i := range devices {
					for _, text := range devices[i].Heard() {
						seen[i].take(w.Parse(text))
					}
					compare(t, w, m, devices[i].Account, devices[1-i].JID.Bare(), i, seen[i], steps)
				}
			}
		}
	})
}

// operate does one thing to the server and to the model and says what it was.
func operate(m *model, devices [2]*coretest.Device, from, what int) string {
	self, other := devices[from], devices[1-from].JID.Bare().String()
	switch {
	case what < len(kinds):
		self.Say(`<presence type='` + kinds[what] + `' to='` + other + `'/>`)
		m.send(from, kinds[what])
		return fmt.Sprint(from, " ", kinds[what])
	case what == len(kinds):
		self.Say(`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='` + other + `' name='n'/></query></iq>`)
		return fmt.Sprint(from, " names")
	}
	self.Say(`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='` + other + `' subscription='remove'/></query></iq>`)
	m.remove(from)
	return fmt.Sprint(from, " removes")
}

// roster is one contact as a device knows it from pushes.
type roster struct{ subscription, ask, approved string }

func (r *roster) take(st *xmpp.Stanza) {
	item := st.Child(NS, "query").Child(NS, "item")
	if st.Kind != xmpp.IQ || item == nil {
		return
	}
	*r = roster{item.Attr("subscription"), item.Attr("ask"), item.Attr("approved")}
	if r.subscription == "remove" {
		*r = roster{}
	}
}

func compare(t *testing.T, w *town, m *model, account *core.Account, contact xmpp.JID, i int, seen *roster, steps []string) {
	t.Helper()
	it, err := w.item(context.Background(), account.ID, contact)
	if err != nil {
		t.Fatal(err)
	}
	cached, err := w.stateOf(context.Background(), account.ID, contact)
	if err != nil {
		t.Fatal(err)
	}
	want := m.state[i] | m.approved[i]
	if it.state&(four|Approved) != want || cached != it.state&^gone {
		t.Fatalf("after %q account %d is in state %b, in memory %b, want %b", steps, i, it.state, cached, want)
	}
	pushed := roster{}
	if it.state&Listed != 0 {
		pushed.subscription = want.Subscription()
		if want&Ask != 0 {
			pushed.ask = "subscribe"
		}
		if want&Approved != 0 {
			pushed.approved = "true"
		}
	}
	if *seen != pushed {
		t.Fatalf("after %q the device of account %d knows %+v, want %+v", steps, i, *seen, pushed)
	}
	if (it.request != "") != (want&Request != 0) {
		t.Fatalf("after %q account %d holds the request %q", steps, i, it.request)
	}
}
