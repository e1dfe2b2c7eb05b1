// Package sandbox is a network that is none: a simulator of one, with its own HTTP server, and the adapter to it. It is for trying payments without a contract, and
// for the proof of the engine: its answers can be lost, late, doubled and out of order, and it can be down for a day. Left out: everything that costs money.
package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Plan is what the network does with one transfer. The zero value settles it at once.
type Plan struct {
	// Reject refuses it; Late settles it all the same so long after that (0: never).
	Reject bool
	Late   time.Duration
	// After is how long it is accepted before it is settled or rejected.
	After time.Duration
	// Reverse takes it back so long after it was settled (0: never). Undo moves it anew so long after that (0: never).
	Reverse, Undo time.Duration
	// Cost is what the network takes for itself, in minor units.
	Cost int64
	// Drop is how many requests to do it are lost on their way; Delay lets those arrive so much later.
	Drop  int
	Delay time.Duration
	// Mute is how many answers to requests are lost, MuteAsks how many answers to questions.
	Mute, MuteAsks int
	// Hang lets what is lost end with the caller's patience instead of a broken connection.
	Hang bool
	// Copies is how many further times each webhook comes, Lag how much later, Silent that none comes. Early sends the first before the request is answered.
	Copies        int
	Lag           time.Duration
	Silent, Early bool
}

// Message is a transfer as the network's interface writes it.
type Message struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // in, out or refund
	Amount   int64     `json:"amount"`
	Unit     string    `json:"unit"`
	Address  string    `json:"address"`
	State    string    `json:"state,omitempty"` // accepted, rejected, settled
	Number   string    `json:"number,omitempty"`
	Returned int64     `json:"returned,omitempty"`
	Cost     int64     `json:"cost,omitempty"`
	At       time.Time `json:"at,omitzero"`
	// Go is an address to open, Show a code to pay, while a transfer that comes in is accepted.
	Go   string `json:"go,omitempty"`
	Show string `json:"show,omitempty"`
}

// Movement is one line of the network's list.
type Movement struct {
	ID, Number string
	Return     bool
	Amount     int64 // negative only for a return that was undone
	Unit       string
	At         time.Time
	change     int64
}

// entry is one transfer in the network.
type entry struct {
	Message
	plan Plan
}

// step is a change that is to come.
type step struct {
	at time.Time
	do func()
}

// Network is the simulator. It is an http.Handler, safe for concurrent use; time passes for it when it is asked, or told to (Advance).
type Network struct {
	// Callback is where webhooks go, empty for nowhere; Client sends them.
	Callback string
	Client   *http.Client

	secret []byte
	now    func() time.Time

	mu       sync.Mutex // guards the following
	plans    map[string]Plan
	standard Plan
	entries  map[string]*entry
	list     []Movement
	steps    []step
	webhooks []webhook
	down     [2]time.Time
	number   int
}

type webhook struct {
	at    time.Time
	event string
	body  []byte
}

// NewNetwork makes a network that signs its webhooks with secret, and does what standard says with transfers that have no plan of their own.
func NewNetwork(secret []byte, standard Plan) *Network {
	return &Network{secret: secret, now: time.Now, Client: &http.Client{Timeout: 10 * time.Second}, plans: map[string]Plan{}, standard: standard, entries: map[string]*entry{}}
}

// Plan says what is done with a transfer, before it comes.
func (n *Network) Plan(id string, plan Plan) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.plans[id] = plan
}

// Down lets the network answer nothing from a time to another, and send nothing.
func (n *Network) Down(from, to time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = [2]time.Time{from, to}
}

func (n *Network) isDown(at time.Time) bool { return !at.Before(n.down[0]) && at.Before(n.down[1]) }

// Balance is what the operator has in the network, in minor units of a unit.
func (n *Network) Balance(unit string) (sum int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.list {
		if m.Unit == unit {
			sum += m.change
		}
	}
	return sum
}

// Look reads what the network knows of a transfer; ok is false if it never saw it.
func (n *Network) Look(id string) (m Message, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pass()
	e, ok := n.entries[id]
	if !ok {
		return m, false
	}
	return e.Message, true
}

// pass does what has become due. It is called with mu.
func (n *Network) pass() {
	now := n.now()
	for {
		next := -1
		for i, s := range n.steps {
			if !s.at.After(now) && (next < 0 || s.at.Before(n.steps[next].at)) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		do := n.steps[next].do
		n.steps = slices.Delete(n.steps, next, next+1)
		do()
	}
}

func (n *Network) later(at time.Time, do func()) { n.steps = append(n.steps, step{at, do}) }

// ServeHTTP answers POST /transfers, GET /transfers/ID and GET /statement.
func (n *Network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.pass()
	isDown := n.isDown(n.now())
	n.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/transfers/")
	switch {
	case isDown:
		lose(r, false)
	case r.Method == http.MethodPost && r.URL.Path == "/transfers":
		n.take(w, r)
	case r.Method == http.MethodGet && one:
		n.tell(w, r, id)
	case r.Method == http.MethodGet && r.URL.Path == "/statement":
		n.statement(w, r)
	default:
		http.NotFound(w, r)
	}
}

// lose ends a request without an answer.
func lose(r *http.Request, hang bool) {
	if hang {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

func (n *Network) take(w http.ResponseWriter, r *http.Request) {
	var m Message
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&m); err != nil || m.ID == "" || m.Amount <= 0 {
		http.Error(w, "a transfer has an id and an amount", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	plan, ok := n.plans[m.ID]
	if !ok {
		plan = n.standard
	}
	if plan.Drop > 0 {
		hang := plan.Hang
		plan.Drop--
		n.plans[m.ID] = plan
		if plan.Delay > 0 {
			n.later(n.now().Add(plan.Delay), func() { n.begin(m) })
		}
		n.mu.Unlock()
		lose(r, hang)
	}
	e := n.begin(m)
	n.pass()
	mute := plan.Mute > 0
	if mute {
		plan = n.plans[m.ID]
		plan.Mute--
		n.plans[m.ID] = plan
	}
	answer := e.Message
	same := answer.Kind == m.Kind && answer.Amount == m.Amount && answer.Unit == m.Unit && answer.Address == m.Address
	n.mu.Unlock()
	if plan.Early {
		n.Advance(r.Context())
	}
	switch {
	case mute:
		lose(r, plan.Hang)
	case !same:
		http.Error(w, "the id was used for something else", http.StatusConflict)
	default:
		write(w, answer)
	}
}

func write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (n *Network) tell(w http.ResponseWriter, r *http.Request, id string) {
	n.mu.Lock()
	plan, e := n.plans[id], n.entries[id]
	if plan.MuteAsks > 0 {
		plan.MuteAsks--
		n.plans[id] = plan
		n.mu.Unlock()
		lose(r, plan.Hang)
	}
	var answer Message
	if e != nil {
		answer = e.Message
	}
	n.mu.Unlock()
	if e == nil {
		http.NotFound(w, r)
		return
	}
	write(w, answer)
}

// begin is what the network does when a request arrives: the same id again is the same transfer. It is called with mu.
func (n *Network) begin(m Message) *entry {
	if e := n.entries[m.ID]; e != nil {
		return e
	}
	plan, ok := n.plans[m.ID]
	if !ok {
		plan = n.standard
		n.plans[m.ID] = plan
	}
	n.number++
	m.State, m.Number = "accepted", fmt.Sprintf("S%08d", n.number)
	e := &entry{Message: m, plan: plan}
	n.entries[m.ID] = e
	n.notify(e)
	n.later(n.now().Add(plan.After), func() { n.finish(e) })
	return e
}

func (n *Network) finish(e *entry) {
	if e.plan.Reject {
		e.State = "rejected"
		n.notify(e)
		if e.plan.Late > 0 {
			n.later(n.now().Add(e.plan.Late), func() { n.settle(e) })
		}
		return
	}
	n.settle(e)
}

func (n *Network) settle(e *entry) {
	e.State, e.Cost, e.At = "settled", e.plan.Cost, n.now().UTC()
	n.move(e, false, e.Amount)
	n.list[len(n.list)-1].change -= e.Cost
	n.notify(e)
	if e.plan.Reverse > 0 {
		n.later(n.now().Add(e.plan.Reverse), func() {
			e.Returned = e.Amount
			n.move(e, true, -e.Amount)
			n.notify(e)
			if e.plan.Undo > 0 {
				n.later(n.now().Add(e.plan.Undo), func() {
					e.Returned = 0
					n.move(e, true, e.Amount)
					n.list[len(n.list)-1].Amount = -e.Amount
					n.notify(e)
				})
			}
		})
	}
}

// move notes a movement; amount is negative for what goes the other way than the transfer.
func (n *Network) move(e *entry, back bool, amount int64) {
	change := amount
	if e.Kind != "in" {
		change = -amount
	}
	n.list = append(n.list, Movement{ID: e.ID, Number: e.Number, Return: back, Amount: max(amount, -amount), Unit: e.Unit, At: n.now().UTC(), change: change})
}

// notify makes the webhooks of a change.
func (n *Network) notify(e *entry) {
	if e.plan.Silent {
		return
	}
	body, err := json.Marshal(e.Message)
	if err != nil {
		panic(err) // a struct of texts and numbers
	}
	for i := range e.plan.Copies + 1 {
		at := n.now().Add(e.plan.Lag * time.Duration(i+1))
		n.webhooks = append(n.webhooks, webhook{at, fmt.Sprintf("%s-%s-%d", e.Number, e.State, e.Returned), body})
	}
}

// Advance does what has become due and sends the webhooks that are; those that are not taken come again a minute later.
func (n *Network) Advance(ctx context.Context) {
	n.mu.Lock()
	n.pass()
	var due []webhook
	now := n.now()
	if n.Callback != "" && !n.isDown(now) {
		n.webhooks = slices.DeleteFunc(n.webhooks, func(w webhook) bool {
			if !w.at.After(now) {
				due = append(due, w)
			}
			return !w.at.After(now)
		})
	}
	n.mu.Unlock()
	slices.Reverse(due) // the newest comes first, as happens
	for _, w := range due {
		if err := n.send(ctx, w); err != nil {
			n.mu.Lock()
			w.at = now.Add(time.Minute)
			n.webhooks = append(n.webhooks, w)
			n.mu.Unlock()
		}
	}
}

func (n *Network) send(ctx context.Context, w webhook) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Callback, strings.NewReader(string(w.body)))
	if err != nil {
		return err
	}
	r.Header.Set(eventHeader, w.event)
	r.Header.Set(signatureHeader, sign(n.secret, w.event, w.body))
	answer, err := n.Client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

const (
	eventHeader     = "Sandbox-Event"
	signatureHeader = "Sandbox-Signature"
)

func sign(secret []byte, event string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s\n", event)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// statement answers what was moved from since to until.
func (n *Network) statement(w http.ResponseWriter, r *http.Request) {
	since, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("since"))
	until, err2 := time.Parse(time.RFC3339Nano, r.URL.Query().Get("until"))
	if err != nil || err2 != nil {
		http.Error(w, "since and until are times", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	lines := []Movement{}
	for _, m := range n.list {
		if !m.At.Before(since) && m.At.Before(until) {
			lines = append(lines, m)
		}
	}
	n.mu.Unlock()
	write(w, lines)
}

// Serve answers on a listener, and lets time pass, until ctx ends.
func (n *Network) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: n, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	var running sync.WaitGroup
	defer running.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	running.Go(func() {
		_ = n.Run(ctx)
		_ = server.Close()
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// Run lets time pass for the network, second by second, until ctx ends.
func (n *Network) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.Advance(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}
