package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scenario is one table of the results.
type scenario struct {
	name, title string
	args        []string // for the load tool
	relay       []string // the same for the bare relay
	accounts    int
	env         []string
	repeat      bool // several times, the median counts
	half        bool // then once more at half of the rate that was reached
	on          []string
	columns     []column
}

// column is a value in the table.
type column struct {
	head, value string
	scale       float64 // 0 means 1
	digits      int
	smaller     bool // smaller is better
	ratio       bool // tell how the first server compares
}

const (
	palabreSQLite, palabrePostgres = "Palabre, SQLite", "Palabre, PostgreSQL"
	ejabberdArchive, ejabberdPlain = "ejabberd, PostgreSQL", "ejabberd, no archive"
	prosodyArchive, bareRelay      = "Prosody, SQLite", "bare relay"
)

var (
	everybody = []string{palabreSQLite, palabrePostgres, ejabberdArchive, ejabberdPlain, prosodyArchive}
	oneEach   = []string{palabreSQLite, ejabberdPlain, prosodyArchive}
	archives  = []string{palabreSQLite, palabrePostgres, ejabberdArchive, prosodyArchive}
)

// The ledgers that are compared.
const (
	ledgerPostgres, ledgerSQLite = "Palabre's ledger, PostgreSQL", "Palabre's ledger, SQLite"
	ledgerHTTP                   = "the same over HTTP, PostgreSQL"
	formanceWhole, formanceBare  = "Formance Ledger, PostgreSQL, 64 in flight", "the same without hashes and history, 64 in flight"
	pgledgerName                 = "pgledger, PostgreSQL"
)

var ledgerColumns = []column{
	{head: "transfers/s", value: "uniform.per_second", ratio: true},
	{head: "CPU/transfer with the database, µs", value: "uniform.server_cpu_us", digits: 1, smaller: true, ratio: true},
	{head: "p50, ms", value: "uniform.p50_ms", digits: 1}, {head: "p99, ms", value: "uniform.p99_ms", digits: 1},
	{head: "at half rate: p50, ms", value: "half.p50_ms", digits: 1}, {head: "p99, ms", value: "half.p99_ms", digits: 1},
	{head: "all to one merchant: transfers/s", value: "hot.per_second", ratio: true}, {head: "% of uniform", value: "hot_percent"},
	{head: "CPU/transfer, µs", value: "hot.server_cpu_us", digits: 1, smaller: true, ratio: true}, {head: "p99, ms", value: "hot.p99_ms", digits: 1},
	{head: "load tool CPU/transfer, µs", value: "uniform.load_cpu_us", digits: 1},
	{head: "other processes meanwhile, % of a processor", value: "others_cpu_percent"},
}

var chatColumns = []column{
	{head: "server CPU/message, µs", value: "server_cpu_us_per_message", digits: 1, smaller: true, ratio: true},
	{head: "messages/s", value: "per_second", ratio: true},
	{head: "delivery p50, ms", value: "delivery_p50_ms", digits: 1},
	{head: "p99, ms", value: "delivery_p99_ms", digits: 1},
	{head: "at half rate: p50, ms", value: "half.delivery_p50_ms", digits: 1},
	{head: "p99, ms", value: "half.delivery_p99_ms", digits: 1},
	{head: "ack p99, ms", value: "half.ack_p99_ms", digits: 1},
	{head: "load tool CPU/message, µs", value: "load_cpu_us_per_message", digits: 1},
}

// fanoutColumns are by the size of the room: paced is at 5,000 deliveries a second in all, full with 16 messages that have not reached everybody.
var fanoutColumns = []column{
	{head: "50 members, 5,000/s: server CPU/delivery, µs", value: "members.50.paced.server_cpu_us_per_delivery", digits: 1, smaller: true, ratio: true},
	{head: "500", value: "members.500.paced.server_cpu_us_per_delivery", digits: 1, smaller: true, ratio: true},
	{head: "1,024", value: "members.1024.paced.server_cpu_us_per_delivery", digits: 1, smaller: true, ratio: true},
	{head: "500 members: last member p50, ms", value: "members.500.paced.last_p50_ms", digits: 1},
	{head: "p99, ms", value: "members.500.paced.last_p99_ms", digits: 1},
	{head: "50 members, full: server CPU/delivery, µs", value: "members.50.full.server_cpu_us_per_delivery", digits: 1, smaller: true, ratio: true},
	{head: "500", value: "members.500.full.server_cpu_us_per_delivery", digits: 1, smaller: true, ratio: true},
	{head: "1,024", value: "members.1024.full.server_cpu_us_per_delivery", digits: 1, smaller: true, ratio: true},
	{head: "50 members, full: deliveries/s", value: "members.50.full.per_second", ratio: true},
	{head: "500", value: "members.500.full.per_second", ratio: true},
	{head: "1,024", value: "members.1024.full.per_second", ratio: true},
	{head: "500 members, full: last member p50, ms", value: "members.500.full.last_p50_ms", digits: 1},
	{head: "p99, ms", value: "members.500.full.last_p99_ms", digits: 1},
	{head: "load tool CPU/delivery at 500, µs", value: "members.500.full.load_cpu_us_per_delivery", digits: 1},
	{head: "server memory, MiB", value: "server_mib"},
	{head: "other processes meanwhile, % of a processor", value: "others_cpu_percent"},
}

var loginColumns = []column{
	{head: "server CPU/login, µs", value: "server_cpu_us_per_login", smaller: true, ratio: true},
	{head: "logins/s", value: "per_second", ratio: true},
	{head: "p50, ms", value: "p50_ms", digits: 1}, {head: "p99, ms", value: "p99_ms", digits: 1},
	{head: "tokens used", value: "tokens_used"},
	{head: "load tool CPU/login, µs", value: "load_cpu_us_per_login"},
}

var stormColumns = []column{
	{head: "server CPU/session, µs", value: "server_cpu_us_per_session", smaller: true, ratio: true},
	{head: "all back, s", value: "seconds", digits: 1, smaller: true, ratio: true},
	{head: "half of them, s", value: "median_seconds", digits: 1},
	{head: "back", value: "back"}, {head: "resumed", value: "resumed"},
}

var idleColumns = []column{
	{head: "sessions", value: "sessions"},
	{head: "server memory/session, KiB", value: "server_kib_per_session", digits: 1, smaller: true, ratio: true},
	{head: "in all, MiB", value: "server_mib_after"},
	{head: "server CPU/login, µs", value: "server_cpu_us_per_login"},
	{head: "logins/s", value: "logins_per_second"},
	{head: "load tool memory/session, KiB", value: "load_kib_per_session", digits: 1},
}

var scenarios = []scenario{
	{name: "chat", title: "Chat: 50 pairs × 8 outstanding, 200-byte text, archived and acknowledged", args: []string{"chat"},
		accounts: 100, repeat: true, half: true, on: everybody, columns: chatColumns},
	{name: "omemo", title: "Chat: the same with 1 KB OMEMO-like payload", args: []string{"chat", "-encrypted", "-size", "1024"},
		accounts: 100, repeat: true, half: true, on: everybody, columns: chatColumns},
	{name: "ephemeral", title: "Chat: the same 200 bytes with nothing to archive (no-store)", args: []string{"chat", "-ephemeral"}, relay: []string{"relay"},
		accounts: 100, repeat: true, on: append(slices.Clone(everybody), bareRelay), columns: chatColumns[:4]},
	{name: "single", title: "Chat: nothing to archive, one message at a time over 1,000 pairs",
		args: []string{"chat", "-ephemeral", "-pairs", "1000", "-outstanding", "1"}, relay: []string{"relay", "-pairs", "1000", "-outstanding", "1"},
		accounts: 2000, on: []string{palabreSQLite, ejabberdPlain, bareRelay}, columns: chatColumns[:4]},
	{name: "million", title: "Chat: 200-byte text, with 2,000,000 archived messages there already", args: []string{"chat"}, accounts: 10_000,
		env: []string{"BENCH_ROWS=2000000"}, repeat: true, half: true, on: archives, columns: chatColumns},
	{name: "fanout", title: "Groups: a message to all members of a room, all online, members only, archive on, 200-byte text, 4 who write",
		args: []string{"fanout"}, accounts: 1024, env: []string{"BENCH_GROUPS=1"}, on: archives, columns: fanoutColumns},
	{name: "channel", title: "Channels: a post of 1,000 bytes to 100,000 followers, 10,000 of them online, one post after the other",
		args: []string{"channel"}, accounts: 100_000, env: []string{"BENCH_FOLLOWERS=100000", "BENCH_GUESTS=20000"}, on: []string{palabreSQLite, palabrePostgres}, columns: []column{
			{head: "online", value: "online"}, {head: "acknowledged p50, ms", value: "ack_p50_ms", digits: 1}, {head: "all online have it p50, ms", value: "all_p50_ms"},
			{head: "the slowest post, ms", value: "all_max_ms"}, {head: "server CPU/delivery, µs", value: "server_cpu_us_per_delivery", digits: 1},
			{head: "server CPU/post with waking, ms", value: "server_cpu_ms_per_post"}, {head: "load tool CPU/delivery, µs", value: "load_cpu_us_per_delivery", digits: 1},
			{head: "server memory before, MiB", value: "server_mib_before"}, {head: "with all online", value: "server_mib_online"}, {head: "after the posts", value: "server_mib_after"},
			{head: "other processes meanwhile, % of a processor", value: "others_cpu_percent"}}},
	{name: "ledger", title: "Ledger: durable transfers between 10,000 accounts, 512 that wait for their answer", args: []string{"ledger"}, accounts: 10_000,
		on: []string{ledgerPostgres, ledgerSQLite, ledgerHTTP, formanceWhole, formanceBare, pgledgerName}, columns: ledgerColumns},
	{name: "login", title: "Login: TLS 1.3 full handshake, SCRAM", args: []string{"login"}, accounts: 100, repeat: true, on: oneEach, columns: loginColumns},
	{name: "return", title: "Login: TLS session resumed, token (FAST) where the server has it", args: []string{"login", "-resume-tls", "-fast"},
		accounts: 100, repeat: true, on: oneEach, columns: loginColumns},
	{name: "idle", title: "Idle: 5,000 sessions with TLS and presence", args: []string{"idle", "-sessions", "5000"}, accounts: 5000, on: oneEach, columns: idleColumns},
	{name: "many", title: "Idle: as many sessions as this machine lets one process have, 50,000 at most", args: []string{"idle", "-sessions", "MANY", "-settle", "20s"},
		accounts: 50_000, on: []string{palabreSQLite}, columns: idleColumns},
	{name: "storm", title: "Reconnect storm: 10,000 sessions lose their connections at once and resume", args: []string{"storm", "-limit", "2m"}, accounts: 10_000,
		env: []string{"BENCH_GUESTS=20000"}, on: oneEach, columns: stormColumns},
	{name: "coldstorm", title: "Reconnect storm: the same, and all begin anew", args: []string{"storm", "-cold", "-limit", "2m"}, accounts: 10_000,
		env: []string{"BENCH_GUESTS=20000"}, on: oneEach, columns: stormColumns},
	{name: "backlog", title: "Backlog: 100,000 archived messages in 200 chats; the last 50 of each, then 10,000 in pages", args: []string{"backlog"}, accounts: 100,
		env: []string{"BENCH_BACKLOG=100000"}, on: archives, columns: []column{
			{head: "chats: s", value: "chats_seconds", digits: 2, smaller: true, ratio: true},
			{head: "server CPU, ms", value: "chats_server_cpu_ms", smaller: true, ratio: true}, {head: "MiB", value: "chats_bytes", scale: 1 << 20, digits: 1},
			{head: "pages: s", value: "pages_seconds", digits: 2, smaller: true, ratio: true},
			{head: "server CPU, ms", value: "pages_server_cpu_ms", smaller: true, ratio: true}, {head: "MiB", value: "pages_bytes", scale: 1 << 20, digits: 1},
			{head: "requests", value: "page_requests"}}},
	{name: "bytes", title: "Bytes before encryption, sent by the device / received (direct TLS, no channel binding)", args: []string{"bytes"}, accounts: 10,
		on: []string{palabreSQLite, ejabberdArchive, prosodyArchive}, columns: []column{
			{head: "login sent", value: "login.sent"}, {head: "received", value: "login.received"},
			{head: "first presence sent", value: "presence.sent"}, {head: "received", value: "presence.received"},
			{head: "return sent", value: "return.sent"}, {head: "received", value: "return.received"}, {head: "resumed", value: "resumed"},
			{head: "message sent: sent", value: "message_sent.sent"}, {head: "received", value: "message_sent.received"},
			{head: "message received: sent", value: "message_received.sent"}, {head: "received", value: "message_received.received"}}},
}

// measure fills the table of a scenario. A server that cannot do it is listed with its reason.
func (c *comparison) measure(ctx context.Context, s scenario) error {
	t := c.results[s.name]
	if t == nil || c.only == "" {
		t = &table{Rows: map[string]row{}}
	}
	t.keepTimes()
	t.When, t.Machine, t.Failed = time.Now().UTC().Format("2006-01-02 15:04 UTC"), machine(), map[string]string{}
	c.results[s.name] = t
	for _, one := range c.wanted(s) {
		fmt.Fprintf(os.Stderr, "%s %s: %s\n", time.Now().Format("15:04:05"), s.name, one.name)
		r, err := c.one(ctx, s, one)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "  ", err)
			t.Failed[one.name] = firstLine(err.Error())
			delete(t.Rows, one.name)
			continue
		}
		fmt.Fprintln(os.Stderr, "  ", describe(s.columns, r.Values))
		r.When = t.When
		t.Rows[one.name] = *r
		if err := c.save(); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) one(ctx context.Context, s scenario, on server) (r *row, err error) {
	started, err := c.start(ctx, on, s.accounts, s.env...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if stopErr := started.stop(); err == nil && stopErr != nil {
			err = fmt.Errorf("stop: %w", stopErr)
		}
	}()
	args := s.args
	if on.script == "" {
		args = s.relay
	}
	if i := slices.Index(args, "MANY"); i >= 0 {
		args = slices.Clone(args)
		args[i] = strconv.Itoa(min(50_000, openFiles()-500))
	}
	if s.half && on.slow {
		args = append(slices.Clone(args), "-warm-up", "20s", "-duration", "40s")
	}
	times := 1
	if s.repeat {
		times = c.repeat
	}
	runs := make([]map[string]float64, times)
	for i := range runs {
		if runs[i], err = c.put(ctx, started, args...); err != nil { // a slow server may still be busy with the run before
			if runs[i], err = c.put(ctx, started, args...); err != nil {
				return nil, err
			}
		}
	}
	r = &row{Version: started.facts["version"], Values: medians(runs)}
	if !s.half {
		return r, nil
	}
	slow, err := c.put(ctx, started, append(slices.Clone(args), "-rate", fmt.Sprint(r.Values["per_second"]/2))...)
	if err != nil {
		return nil, err
	}
	for name, value := range slow {
		r.Values["half."+name] = value
	}
	return r, nil
}

func medians(runs []map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for name := range runs[0] {
		var values []float64
		for _, run := range runs {
			values = append(values, run[name])
		}
		slices.Sort(values)
		out[name] = values[len(values)/2]
	}
	return out
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
