package archive

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Devices that do not read the archive are sent what arrived while no device was there (XEP-0160). The log is read from the account's
// cursor on, a chunk at a time, each after the device has acknowledged the last; live messages are held back from the session
// until it has caught up, for they are in the log as well. So each message comes once, and in order.

const (
	chunk        = 100 // messages sent before the device must have acknowledged them
	maxGiven     = 256 // messages to one device that are remembered so that they do not come again
	saveInterval = 200 * time.Millisecond
	readTimeout  = 30 * time.Second
)

// owner is how far the incoming messages of one account with sessions have reached a device. Guarded by Archive.mu.
type owner struct {
	sessions int
	known    bool // reached was read from the table
	dirty    bool // reached has moved since it was written
	reached  int64
}

// catchUp is how far one session has come.
type catchUp struct {
	mu      sync.Mutex // guards what follows
	read    int64      // the end of the log when the app last read the archive by itself, 0 if it has not
	state   progress   // what is being done
	missed  bool       // a message was held back since the last look
	sent    int64      // the last id that was sent from the log
	awaited int64      // the last id of the chunk that was sent
	early   int64      // the last id that was acknowledged
	told    int64      // the last id that was let through while the session was live
	given   []given    // what did not come by the log or to the bare address, oldest first
}

// given is a message that the session got although its turn in the log had not come, or that others of the account did not get.
type given struct {
	id    int64
	apart bool // the session did not take messages for the bare address then: earlier ones may be missing
	acked bool
}

// give remembers a message that the session gets now; c.mu is held.
func (c *catchUp) give(id int64, apart bool) {
	if len(c.given) >= maxGiven {
		c.given = slices.Delete(c.given, 0, len(c.given)-maxGiven+1)
	}
	c.given = append(c.given, given{id: id, apart: apart})
}

// has finds a message that was given; c.mu is held.
func (c *catchUp) has(id int64) *given {
	for i := range c.given {
		if c.given[i].id == id {
			return &c.given[i]
		}
	}
	return nil
}

// whole reports whether the device has acknowledged all that it was given apart, if anything; c.mu is held.
func (c *catchUp) whole() bool {
	some := false
	for _, g := range c.given {
		if g.apart && !g.acked {
			return false
		}
		some = some || g.apart
	}
	return some
}

// progress is what a session's catching up is at.
type progress uint8

const (
	unbegun progress = iota // the session is not available yet
	reading                 // a chunk is being read and sent, by one goroutine
	waiting                 // a chunk waits to be acknowledged
	live                    // nothing is missed: messages come as they are sent
)

var catchUps = new(core.Key[*catchUp])

var insertCursor = store.NewInsert("archive_cursor", "account", "reached").OnConflict("(account) do update set reached = excluded.reached")

func (a *Archive) attachOffline(s *core.Server) {
	s.OnBind(a.enter)
	s.OnUnbind(a.leave)
	s.OnAvailable(a.begin)
	s.Delivering(a.hold)
	s.OnAcked(a.acked)
	s.OnLost(a.lost)
}

func (a *Archive) enter(_ context.Context, session *core.Session) {
	catchUps.Set(session, &catchUp{})
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.owners[session.Account.ID]
	if o == nil {
		o = &owner{}
		a.owners[session.Account.ID] = o
	}
	o.sessions++
}

func (a *Archive) leave(_ context.Context, session *core.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.owners[session.Account.ID]; o != nil {
		o.sessions--
		a.forget(session.Account.ID, o)
	}
}

// forget drops what is known of an account without sessions; mu is held.
func (a *Archive) forget(account int64, o *owner) {
	if o.sessions <= 0 && !o.dirty {
		delete(a.owners, account)
	}
}

// reads notes that the app behind a session is about to read the archive by itself: it will find what is there now.
func (a *Archive) reads(ctx context.Context, session *core.Session) error {
	c := catchUps.Get(session)
	if c == nil || c.at() != unbegun && willing(session) {
		return nil
	}
	end, err := a.end(ctx, session.Account)
	if err != nil {
		return fmt.Errorf("read the end of the archive: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = end
	return nil
}

// willing reports whether a session takes messages for the bare address.
func willing(session *core.Session) bool {
	available, priority := session.Available()
	return available && priority >= 0
}

func (c *catchUp) at() progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// hold keeps a logged message out of a session that has not caught up: it will be read from the log.
func (a *Archive) hold(_ context.Context, t *core.Transit, session *core.Session) bool {
	c := catchUps.Get(session)
	if t.ReceivedID == 0 || c == nil {
		return true
	}
	takes := willing(session)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !takes {
		c.give(t.ReceivedID, true)
		return true
	}
	if c.state != live || t.ReceivedID <= c.sent { // in the log when the session caught up: it has been sent
		c.missed = c.missed || c.state != live
		return false
	}
	c.told = max(c.told, t.ReceivedID)
	if !t.Stanza.To.IsBare() {
		c.give(t.ReceivedID, false)
	}
	return true
}

// begin sends a session that has become available, for the first time or again, what it has missed. An app that reads the archive has
// found what was there when it asked; only what came since then is sent, and what the archive does not show.
func (a *Archive) begin(session *core.Session) {
	c := catchUps.Get(session)
	if c == nil {
		return
	}
	c.mu.Lock()
	if c.state != unbegun && c.state != live {
		c.missed = true
		c.mu.Unlock()
		return
	}
	c.state = reading
	seen, read := max(c.sent, c.told), c.read
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	from, err := a.cursor(ctx, session.Account)
	if err == nil {
		from = max(from, seen)
		if !a.hiding(session.Account.ID) {
			from = max(from, read)
		}
		from, err = a.newest(ctx, session.Account, from)
	}
	if err != nil {
		a.fail(session, err)
		return
	}
	c.mu.Lock()
	c.sent = from
	c.mu.Unlock()
	a.step(ctx, session, c)
}

// fail ends a session that could not be told what it missed: it comes back and asks again.
func (a *Archive) fail(session *core.Session, err error) {
	a.log.Error("could not read missed messages", "session", session, "err", err)
	session.End("internal-server-error", "missed messages could not be read")
}

// newest moves a starting point so far forward that at most MaxOffline messages follow it.
func (a *Archive) newest(ctx context.Context, account *core.Account, from int64) (int64, error) {
	q := &request{After: from, Until: math.MaxInt64}
	q.Page.Last = true
	left := a.cfg.MaxOffline
	for _, s := range a.stretches(ctx, account, q) {
		where, args := s.among(account)
		where += " and (kind & 1) <> 0"
		var id int64
		err := a.db.QueryRow(ctx, "select id from "+s.from+" where "+where+" order by id desc limit 1 offset $"+strconv.Itoa(len(args)+1), append(args, left)...).Scan(&id)
		if err == nil || !errors.Is(err, store.ErrNoRows) {
			return id, err
		}
		if len(s.ids) == 0 {
			continue // the oldest, or all
		}
		var n int
		if err := a.db.QueryRow(ctx, "select count(*) from "+s.from+" where "+where, args...).Scan(&n); err != nil {
			return 0, err
		}
		left -= n
	}
	return from, nil
}

// step sends the next chunk, or makes the session live when there is none.
func (a *Archive) step(ctx context.Context, session *core.Session, c *catchUp) {
	for {
		c.mu.Lock()
		c.missed = false
		from := c.sent
		c.mu.Unlock()
		last, err := a.sendChunk(ctx, session, c, from)
		if err != nil {
			a.fail(session, err)
			return
		}
		c.mu.Lock()
		switch {
		case last > from && c.early < c.awaited:
			c.state = waiting
		case last == from && !c.missed:
			c.state = live
			if c.whole() {
				a.reach(session.Account, last)
			}
		default: // more came meanwhile, or all is acknowledged already
			c.mu.Unlock()
			continue
		}
		c.mu.Unlock()
		return
	}
}

// missed reads at most chunk entries that a device is to be sent: what is incoming, and no tombstone; of what it has read by itself, up to an id,
// only what the archive did not show. See shown for how the bits are compared.
func (a *Archive) missed(ctx context.Context, account *core.Account, from, read int64) (found []entry, err error) {
	for _, s := range a.stretches(ctx, account, &request{After: from, Until: math.MaxInt64}) {
		where, args := s.among(account)
		args = append(args, read)
		where += " and (kind & 1) <> 0 and (kind & 4) <> 4 and (id > $" + strconv.Itoa(len(args)) + " or (kind & 2) = 2) order by id"
		some, more, err := a.entries(ctx, chunk-len(found), s.from+" where "+where, args...)
		if err != nil {
			return nil, err
		}
		if found = append(found, some...); more || len(found) >= chunk {
			break
		}
	}
	page, _ := onePage(found)
	return page, nil
}

// sendChunk sends incoming messages after from and returns the id of the last one, from if there was none. The id is noted before the
// first is sent, so that no acknowledgement comes too early.
func (a *Archive) sendChunk(ctx context.Context, session *core.Session, c *catchUp, from int64) (int64, error) {
	c.mu.Lock()
	read := c.read
	c.mu.Unlock()
	entries, err := a.missed(ctx, session.Account, from, read)
	if err != nil || len(entries) == 0 {
		return from, err
	}
	deliveries := make([]core.Delivery, 0, len(entries))
	for _, e := range entries {
		st, err := parseStored(e.stanza)
		if err != nil {
			return 0, err
		}
		st.Add(xmpp.Delay(a.server.Domain(), time.UnixMicro(e.id)))
		if e.kind&hidden == 0 {
			st.Add(xmpp.StanzaID(session.Account.JID, e.id))
		}
		deliveries = append(deliveries, core.Delivery{Stanza: st, Kept: e.id})
	}
	last := entries[len(entries)-1].id
	c.mu.Lock()
	deliveries = slices.DeleteFunc(deliveries, func(d core.Delivery) bool { return c.has(d.Kept) != nil })
	c.sent, c.awaited = last, 0
	if len(deliveries) > 0 {
		c.awaited = deliveries[len(deliveries)-1].Kept
	}
	c.mu.Unlock()
	for _, d := range deliveries {
		session.Deliver(d)
	}
	return last, nil
}

// acked moves the account's cursor, and sends the next chunk to a session that is catching up.
func (a *Archive) acked(session *core.Session, deliveries []core.Delivery) {
	c := catchUps.Get(session)
	if c == nil {
		return
	}
	c.mu.Lock()
	last := c.note(deliveries)
	if last == 0 {
		c.mu.Unlock()
		return
	}
	c.early = max(c.early, last)
	next := c.state == waiting && last >= c.awaited
	if next {
		c.state = reading
	}
	c.mu.Unlock()
	a.reach(session.Account, last)
	if next {
		a.working.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
			defer cancel()
			if !core.Guard(a.log, "missed messages are sent", func() { a.step(ctx, session, c) }) {
				session.End("internal-server-error", "missed messages could not be read")
			}
		})
	}
}

// note takes over acknowledgements and returns up to where the device has everything, 0 if they do not say; c.mu is held.
func (c *catchUp) note(deliveries []core.Delivery) (last int64) {
	for i := range deliveries {
		id := deliveries[i].Kept
		if g := c.has(id); id != 0 && g != nil && g.apart {
			g.acked = true
			if c.state == live && c.whole() {
				last = max(last, c.sent)
			}
			continue
		}
		last = max(last, id)
	}
	return last
}

// reach notes that everything up to an id has reached a device of the account.
func (a *Archive) reach(account *core.Account, id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.owners[account.ID]; o != nil && o.known && id > o.reached {
		o.reached, o.dirty = id, true
	}
}

// cursor is how far the account's incoming messages have reached a device.
func (a *Archive) cursor(ctx context.Context, account *core.Account) (int64, error) {
	a.mu.Lock()
	o := a.owners[account.ID]
	if o != nil && o.known {
		defer a.mu.Unlock()
		return o.reached, nil
	}
	a.mu.Unlock()
	var reached int64
	err := a.db.QueryRow(ctx, "select reached from archive_cursor where account = $1", account.ID).Scan(&reached)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return 0, fmt.Errorf("read archive cursor: %w", err)
	}
	if o == nil {
		return reached, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !o.known {
		o.known, o.reached = true, reached
	}
	return o.reached, nil
}

// lost takes back messages to a full address whose session ended before it had them: other devices get them, or the cursor goes
// back so that the next one does. Messages to the bare address were given to all devices, and the cursor has not passed them.
func (a *Archive) lost(_ context.Context, session *core.Session, deliveries []core.Delivery) {
	for _, d := range deliveries {
		if d.Kept == 0 || d.Stanza.To != session.JID {
			continue
		}
		if !a.deliverElsewhere(session, d) {
			a.mu.Lock()
			if o := a.owners[session.Account.ID]; o != nil && o.known && o.reached >= d.Kept {
				o.reached, o.dirty = d.Kept-1, true
			}
			a.mu.Unlock()
		}
	}
}

func (a *Archive) deliverElsewhere(from *core.Session, d core.Delivery) bool {
	delivered := false
	for _, other := range a.server.Sessions(from.Account.JID) {
		c := catchUps.Get(other)
		if other == from || !willing(other) || c == nil {
			continue
		}
		c.mu.Lock()
		takes, had := c.state == live, c.has(d.Kept) != nil // a carbon, perhaps
		c.mu.Unlock()
		if had {
			delivered = true
			continue
		}
		if takes {
			late := d.Stanza.Copy()
			late.Add(xmpp.Delay(a.server.Domain(), time.UnixMicro(d.Kept)))
			other.Deliver(core.Delivery{Stanza: late, Kept: d.Kept})
			delivered = true
		}
	}
	return delivered
}

// save writes the cursors that have moved, and deletes what was kept only until it reached a device.
func (a *Archive) save(ctx context.Context) error {
	moved := a.takeMoved()
	if len(moved) == 0 {
		return nil
	}
	written := false
	defer func() { a.saved(moved, written) }()
	err := a.db.Tx(ctx, func(ctx context.Context) error { return a.writeCursors(ctx, moved) })
	written = err == nil
	return err
}

// saved notes that cursors were written, or have to be later.
func (a *Archive) saved(moved map[int64]int64, written bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for account := range moved {
		if o := a.owners[account]; o != nil {
			o.dirty = o.dirty || !written
			a.forget(account, o)
		}
	}
}

func (a *Archive) takeMoved() map[int64]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	moved := map[int64]int64{}
	for account, o := range a.owners {
		if o.dirty {
			moved[account] = o.reached
			o.dirty = false
		}
	}
	return moved
}

func (a *Archive) writeCursors(ctx context.Context, moved map[int64]int64) error {
	for account, reached := range moved {
		if err := a.db.Append(ctx, insertCursor, account, reached); err != nil {
			return err
		}
		if a.hiding(account) {
			if err := a.discard(ctx, "account = $1 and id <= $2 and (kind & 2) = 2", account, reached); err != nil {
				return fmt.Errorf("delete passing messages: %w", err)
			}
		}
	}
	return nil
}

// hide notes that an account has entries which are kept only until they reach a device.
func (a *Archive) hide(account int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hidden[account] = true
}

func (a *Archive) hiding(account int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hidden[account]
}

// loadHiding finds the accounts with such entries.
func (a *Archive) loadHiding(ctx context.Context) error {
	rows, err := a.db.Query(ctx, "select distinct account from archive_entry where (kind & 2) = 2")
	if err != nil {
		return fmt.Errorf("read passing messages: %w", err)
	}
	for rows.Next() {
		var account int64
		if err := rows.Scan(&account); err != nil {
			return err
		}
		a.hide(account)
	}
	return nil
}
