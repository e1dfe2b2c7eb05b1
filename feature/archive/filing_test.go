package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// kept is an entry as the model knows it.
type kept struct {
	id      int64
	contact string
	body    string
	hidden  bool
}

// model does to an archive what people, operators and the filer do, and to lists in memory the same.
type model struct {
	*world
	random   *rand.Rand
	logs     map[int64][]kept
	contacts []string
	made     int
}

func (m *model) accounts() map[int64]string {
	return map[int64]string{1: "romeo@localhost", 2: "juliet@localhost"}
}

func (m *model) one() (*core.Account, string) {
	id := 1 + m.random.Int64N(2)
	return &core.Account{ID: id, JID: xmpp.MustJID(m.accounts()[id])}, m.contacts[m.random.IntN(len(m.contacts))]
}

// stanza is a new message from a contact; its id is its body.
func (m *model) stanza(account *core.Account, contact string) (text, body string) {
	m.made++
	body = fmt.Sprint("m", m.made)
	return fmt.Sprintf("<message from='%s' to='%s' type='chat' id='%s'><body>%s</body></message>", contact, account.JID, body, body), body
}

func (m *model) drop(account int64, drop func(kept) bool) {
	m.logs[account] = slices.DeleteFunc(m.logs[account], drop)
}

func (m *model) tx(fn func(ctx context.Context) error) {
	m.t.Helper()
	if err := m.archive.db.Tx(m.t.Context(), fn); err != nil {
		m.t.Fatal(err)
	}
}

// keep keeps several messages, now and then one that is not to be archived.
func (m *model) keep() {
	m.tx(func(ctx context.Context) error {
		for range 1 + m.random.IntN(400) {
			account, contact := m.one()
			text, body := m.stanza(account, contact)
			e, bits := kept{id: m.archive.db.Next(), contact: contact, body: body, hidden: m.random.IntN(20) == 0}, incoming
			if e.hidden {
				bits |= hidden
				m.archive.hide(account.ID)
			}
			m.logs[account.ID] = append(m.logs[account.ID], e)
			if err := m.archive.add(ctx, e.id, account.ID, contactID(xmpp.MustJID(contact)), bits, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// adopt imports a message from some time of the past.
func (m *model) adopt() {
	account, contact := m.one()
	text, body := m.stanza(account, contact)
	id := m.archive.db.Next() - m.random.Int64N(10_000_000)
	for _, log := range m.logs {
		if slices.ContainsFunc(log, func(e kept) bool { return e.id == id }) {
			return
		}
	}
	message, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		m.t.Fatal(err)
	}
	forwarded := xmpp.NewElement(xmpp.NSForward, "forwarded", xmpp.Delay(account.JID, time.UnixMicro(id)), message)
	part := Around()
	part.Add(xmpp.NewElement(NS, "result", forwarded).Set("id", formatID(id)))
	if err := m.archive.adopt(m.t.Context(), account, part); err != nil {
		m.t.Fatal(err)
	}
	m.logs[account.ID] = append(m.logs[account.ID], kept{id: id, contact: contact, body: body})
	slices.SortFunc(m.logs[account.ID], func(x, y kept) int { return cmp.Compare(x.id, y.id) })
}

// retract has an author retract a message.
func (m *model) retract() {
	account, _ := m.one()
	log := m.logs[account.ID]
	if len(log) == 0 {
		return
	}
	e := &log[m.random.IntN(len(log))]
	if e.body == "" {
		return
	}
	from := xmpp.MustJID(e.contact)
	retraction := &xmpp.Stanza{Kind: xmpp.Message, ID: "r", From: from, To: account.JID}
	m.tx(func(ctx context.Context) error {
		return m.archive.bury(ctx, account, from, incoming, retraction, e.body)
	})
	e.body = ""
}

// between is the id of some entry, or one beside it.
func (m *model) between() int64 {
	var ids []int64
	for _, log := range m.logs {
		for _, e := range log {
			ids = append(ids, e.id)
		}
	}
	if len(ids) == 0 {
		return 1
	}
	slices.Sort(ids)
	return ids[m.random.IntN(1+len(ids)/3)] + m.random.Int64N(2)
}

func (m *model) expire() {
	before := m.between()
	if err := m.archive.expire(m.t.Context(), time.UnixMicro(before)); err != nil {
		m.t.Fatal(err)
	}
	for account := range m.logs {
		m.drop(account, func(e kept) bool { return e.id < before })
	}
}

// reach has hidden messages reach a device.
func (m *model) reach() {
	account, _ := m.one()
	reached := m.between()
	m.tx(func(ctx context.Context) error {
		return m.archive.writeCursors(ctx, map[int64]int64{account.ID: reached})
	})
	m.drop(account.ID, func(e kept) bool { return e.hidden && e.id <= reached })
}

func (m *model) remove() {
	if m.random.IntN(4) > 0 {
		return
	}
	account, _ := m.one()
	for more := m.random.IntN(2) == 0; more; {
		var err error
		if more, err = m.archive.RemovePiece(m.t.Context(), account); err != nil {
			m.t.Fatal(err)
		}
	}
	m.tx(func(ctx context.Context) error { return m.archive.remove(ctx, account) })
	m.logs[account.ID] = nil
}

// file files what waits, or only begins to and is ended, while others go on.
func (m *model) file() {
	if !m.archive.filing.late {
		return
	}
	if m.random.IntN(2) == 0 {
		if err := m.archive.file(m.t.Context()); err != nil {
			m.t.Fatal(err)
		}
		return
	}
	upto := m.archive.filing.reached()
	deleted := m.archive.filing.deleted.Load()
	window, upto, err := m.archive.readWindow(m.t.Context(), upto, m.archive.db.Settled(m.t.Context()))
	if err != nil {
		m.t.Fatal(err)
	}
	if len(window) == 0 {
		return
	}
	for range m.random.IntN(3) {
		m.change()
	}
	begun := &dying{m.t.Context(), 1 + m.random.IntN(4)}
	if err := m.archive.fileWindow(begun, window, deleted, upto); err != nil && !errors.Is(err, context.Canceled) {
		m.t.Fatal(err)
	}
}

// dying is the context of a server that is killed after some transactions.
type dying struct {
	context.Context
	left int
}

// Err is asked for before each transaction.
func (d *dying) Err() error {
	if d.left--; d.left < 0 {
		return context.Canceled
	}
	return nil
}

func (m *model) reopen() { m.world = begin(m.t, m.archive.db, DefaultConfig()) }

// change does one thing that changes what is in the archive.
func (m *model) change() {
	switch m.random.IntN(9) {
	case 0, 1, 2:
		m.keep()
	case 3, 4:
		m.adopt()
	case 5:
		m.retract()
	case 6:
		m.expire()
	case 7:
		m.reach()
	case 8:
		m.remove()
	}
}

// check compares a query with the model, and looks whether what is filed is what there is.
func (m *model) check() {
	m.t.Helper()
	account, contact := m.one()
	filter := form("with", contact)
	if m.random.IntN(4) == 0 {
		filter, contact = "", ""
	}
	var want []string
	for _, e := range m.logs[account.ID] {
		if !e.hidden && (contact == "" || e.contact == contact) {
			want = append(want, e.body)
		}
	}
	d := m.device(m.accounts()[account.ID] + "/a")
	if got := walk(d, filter, 20+m.random.IntN(230), m.random.IntN(2) == 0, m.random.IntN(2) == 0); !slices.Equal(got, want) {
		m.t.Fatalf("account %d with %q: %d messages, want %d: %v, want %v", account.ID, contact, len(got), len(want), got, want)
	}
	_, _, answer := d.ask(filter + set("<max>0</max>"))
	if got := xmpp.ParsePaged(answer.Child(NS, "fin")).Count; got != len(want) {
		m.t.Fatalf("counted %d, want %d", got, len(want))
	}
	m.server.Unbind(m.t.Context(), d.session)
	m.checkMissed()
	m.checkFiled()
}

// checkMissed compares what devices that do not read the archive would be sent from somewhere on, and where it ends.
func (m *model) checkMissed() {
	m.t.Helper()
	account, _ := m.one()
	log := m.logs[account.ID]
	from, end, most := int64(0), int64(0), 1+m.random.IntN(300)
	if len(log) > 0 {
		from, end = log[m.random.IntN(len(log))].id-m.random.Int64N(2), log[len(log)-1].id
	}
	var after []kept // all that the model keeps is incoming
	for _, e := range log {
		if e.id > from {
			after = append(after, e)
		}
	}
	a := m.archive
	if got, err := a.end(m.t.Context(), account); err != nil || got != end {
		m.t.Fatalf("account %d ends at %d, %v; want %d", account.ID, got, err, end)
	}
	a.cfg.MaxOffline = most
	defer func() { a.cfg.MaxOffline = DefaultConfig().MaxOffline }()
	want := from
	if len(after) > most {
		want = after[len(after)-most-1].id
	}
	if got, err := a.newest(m.t.Context(), account, from); err != nil || got != want {
		m.t.Fatalf("of account %d the newest %d follow %d, %v; want %d", account.ID, most, got, err, want)
	}
	var ids, wanted []int64
	for _, e := range after {
		if e.body != "" && len(wanted) < chunk { // what was retracted is not sent
			wanted = append(wanted, e.id)
		}
	}
	found, err := a.missed(m.t.Context(), account, from, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, e := range found {
		ids = append(ids, e.id)
	}
	if !slices.Equal(ids, wanted) {
		m.t.Fatalf("account %d from %d misses %v, want %v", account.ID, from, ids, wanted)
	}
}

func (m *model) checkFiled() {
	m.t.Helper()
	if !m.archive.filing.late {
		return
	}
	believed := m.archive.filing.reached()
	for _, filed := range []struct{ table, columns string }{{filedByAccount, "account, id"}, {filedByContact, "account, contact, id"}} {
		var upto int64
		var missing, idle int
		err := m.archive.db.QueryRow(m.t.Context(), fmt.Sprintf(`select upto,
			(select count(*) from archive_entry where id <= upto and (%[2]s) not in (select %[2]s from %[1]s)),
			(select count(*) from %[1]s where (%[2]s) not in (select %[2]s from archive_entry)) from archive_filed`, filed.table, filed.columns)).Scan(&upto, &missing, &idle)
		if err != nil || missing != 0 || idle != 0 || believed > upto {
			m.t.Fatalf("%s: %d are not filed, %d are filed but gone; up to %d is thought, up to %d written; %v", filed.table, missing, idle, believed, upto, err)
		}
	}
}

// TestFiling does what it likes to an archive and to a model of it, and finds the same in both.
func TestFiling(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		m := &model{world: w, random: rand.New(rand.NewPCG(seed, 1)), logs: map[int64][]kept{},
			contacts: []string{"romeo@localhost", "juliet@localhost", "nurse@far.example"}}
		for range 80 {
			switch m.random.IntN(6) {
			case 0, 1:
				m.file()
			case 2:
				m.reopen()
			default:
				m.change()
			}
			m.check()
		}
	})
}

// appendMany keeps entries of 100 accounts.
func appendMany(t *testing.T, a *Archive, n int) {
	t.Helper()
	err := a.db.Tx(t.Context(), func(ctx context.Context) error {
		for i := range int64(n) {
			if err := a.add(ctx, a.db.Next(), 3+i%100, i%7, 0, "<message/>"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheFilerFilesWhatWaits leaves the filer alone with more than one window, and then with a little.
func TestTheFilerFilesWhatWaits(t *testing.T) {
	w := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig())
	a := w.archive
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	appendMany(t, a, filingWindow+100)
	go func() { ended <- a.Run(ctx) }()
	for look := time.NewTicker(time.Millisecond); a.filing.count() > 0; {
		<-look.C
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	(&model{world: w}).checkFiled()
	var filed int
	if err := a.db.QueryRow(t.Context(), "select count(*) from archive_account join archive_contact using (account, id)").Scan(&filed); err != nil || filed != filingWindow+100 {
		t.Errorf("%d are filed, %v", filed, err)
	}
	appendMany(t, a, 10)
	now := time.Now()
	if a.filing.due(now) || !a.filing.due(now.Add(filingAge)) {
		t.Error("a few are filed at once, or never")
	}
}

// TestFilingFails fills the disk, in effect, while messages are filed: nothing is lost, and later all are filed.
func TestFilingFails(t *testing.T) {
	w := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig())
	a := w.archive
	appendMany(t, a, 3*filingSlice)
	window, upto, err := a.readWindow(t.Context(), 0, a.db.Next())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.fileWindow(ctx, window, 0, upto); !errors.Is(err, context.Canceled) || a.filing.upto != 0 {
		t.Fatal(err, a.filing.upto)
	}
	full := errors.New("disk full")
	err = a.db.Tx(t.Context(), func(ctx context.Context) error { return errors.Join(a.fileSlice(ctx, window[:filingSlice], 0), full) })
	if !errors.Is(err, full) {
		t.Fatal(err)
	}
	m := &model{world: w}
	m.checkFiled()
	if err := a.file(t.Context()); err != nil || a.filing.upto < upto || a.filing.count() != 0 {
		t.Fatal(err, a.filing.upto, a.filing.count())
	}
	m.checkFiled()
}

// TestDatabaseOfBefore brings a database from the time of the index up to date: all is filed at once.
func TestDatabaseOfBefore(t *testing.T) {
	cfg := storetest.File(t)
	before := storetest.OpenConfig(t, cfg)
	a := begin(t, before, DefaultConfig()).archive
	appendMany(t, a, 1000)
	for _, sql := range []string{"drop table archive_account", "drop table archive_contact", "drop table archive_filed",
		"create index archive_entry_account on archive_entry (account)", "create index archive_entry_contact on archive_entry (account, contact)",
		"delete from store_migrations_archive where version_id >= 3"} {
		if _, err := before.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := before.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
		t.Fatal(err)
	}
	w := begin(t, storetest.OpenConfig(t, cfg), DefaultConfig())
	var entries, filed int
	err := w.archive.db.QueryRow(t.Context(), "select (select count(*) from archive_entry), (select count(*) from archive_account join archive_contact using (account, id))").Scan(&entries, &filed)
	if err != nil || entries != 1000 || filed != 1000 || w.archive.filing.count() != 0 {
		t.Fatal(entries, filed, w.archive.filing.count(), err)
	}
	(&model{world: w}).checkFiled()
}

// TestWhatIsNotSettledIsNotRead asks for the log while a message is being kept: pages are read in parts, and it must not be missing between others.
func TestWhatIsNotSettledIsNotRead(t *testing.T) {
	a := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig()).archive
	account, all := &core.Account{ID: 3}, &request{Until: math.MaxInt64}
	ids := func(ctx context.Context) (ids []int64) {
		for _, s := range a.stretches(ctx, account, all) {
			ids = append(ids, s.ids...)
		}
		return ids
	}
	err := a.db.Tx(t.Context(), func(ctx context.Context) error {
		if err := a.add(ctx, a.db.Next(), account.ID, 1, 0, "<message/>"); err != nil {
			return err
		}
		if outside, inside := ids(t.Context()), ids(ctx); len(outside) != 0 || len(inside) != 1 {
			t.Errorf("being kept: %v are read from outside, %v by its own transaction", outside, inside)
		}
		return nil
	})
	if kept := ids(t.Context()); err != nil || len(kept) != 1 {
		t.Errorf("kept: %v, %v", kept, err)
	}
}

// TestAPanicEndsTheArchiveWithItsFiler has Run, which has a goroutine of its own, let a panic out, so that it can begin anew.
func TestAPanicEndsTheArchiveWithItsFiler(t *testing.T) {
	a := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig()).archive
	a.mu.Lock()
	a.owners[7] = nil // what nobody does
	a.mu.Unlock()
	if core.Guard(slog.New(slog.DiscardHandler), "the archive runs", func() { t.Error(a.Run(t.Context())) }) {
		t.Error("no panic")
	}
}
