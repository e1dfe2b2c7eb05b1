package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

const (
	submitters  = 400
	rowsPerCall = 2
)

var line = store.NewInsert("line", "account", "id", "peer", "body")

// BenchmarkAppend measures durable rows: 400 callers at a time, each appending two rows of 300 bytes to a table with a
// primary key (account, id) and one more index (account, peer, id). One operation is one transaction.
// PALABRE_BENCH_ROWS=2000000 fills the table first.
func BenchmarkAppend(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkAppend(b, benchFile(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkAppend(b, storetest.Config(b, storetest.Postgres)) })
}

// benchFile is on a real disk, whatever TMPDIR is.
func benchFile(b *testing.B) store.Config {
	folder, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(folder) })
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(folder, "palabre.db")
	return cfg
}

func benchmarkAppend(b *testing.B, cfg store.Config) {
	db := storetest.OpenConfig(b, cfg)
	mustExec(b, db, `create table line (account bigint not null, id bigint not null, peer bigint not null,
		body text not null, primary key (account, id))`)
	mustExec(b, db, `create index line_peer on line (account, peer, id)`)
	fill(b, db)
	body := strings.Repeat("x", 300)
	commits := commitCount(b, db)
	cpu, before := cpuTime(b), time.Now()
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for s := range submitters {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := appendPair(db, int64(s), n, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	rows := float64(b.N * rowsPerCall)
	b.ReportMetric(float64(b.N)/(commitCount(b, db)-commits), "tx/commit")
	b.ReportMetric(rows/time.Since(before).Seconds(), "rows/s")
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/rows, "cpu-µs/row")
}

// appendPair is one message: kept for the sender and for one of 50 peers.
func appendPair(db *store.DB, account, n int64, body string) error {
	peer := (account*31 + n%50*7) % submitters
	return db.Tx(context.Background(), func(ctx context.Context) error {
		if err := db.Append(ctx, line, account, db.Next(), peer, body); err != nil {
			return err
		}
		return db.Append(ctx, line, peer, db.Next(), account, body)
	})
}

func fill(b *testing.B, db *store.DB) {
	rows, _ := strconv.Atoi(os.Getenv("PALABRE_BENCH_ROWS"))
	body := strings.Repeat("x", 300)
	for done := 0; done < rows; {
		err := db.Tx(context.Background(), func(ctx context.Context) error {
			for range 20_000 {
				a, p := int64(done*7919%submitters), int64(done*104729%submitters)
				if err := db.Append(ctx, line, a, db.Next(), p, body); err != nil {
					return err
				}
				done++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func commitCount(b *testing.B, db *store.DB) float64 {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(db.Collectors()...)
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "palabre_store_commits_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	b.Fatal("no commit counter")
	return 0
}

// cpuTime is what this process has used so far, and PostgreSQL's processes with it.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	own := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if strings.HasSuffix(b.Name(), "postgres") {
		own += postgresTime(b)
	}
	return own
}

// postgresTime adds up all processes named postgres, in clock ticks of 10 ms (proc(5)).
func postgresTime(b *testing.B) time.Duration {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	var ticks int64
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), "(postgres)") {
			continue // gone, or someone else
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, f := range fields[11:13] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				b.Fatal(fmt.Errorf("%s: %w", name, err))
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkRead measures one row by its key through the read pool, 8 callers at a time.
func BenchmarkRead(b *testing.B) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		b.Run(engine, func(b *testing.B) {
			db := storetest.Open(b, engine)
			makeNote(b, db)
			mustExec(b, db, `insert into note (account, id, body) values (1, 1, $1)`, strings.Repeat("x", 300))
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var body string
					if err := db.QueryRow(context.Background(), `select body from note where account = $1 and id = $2`, 1, 1).Scan(&body); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkAlone measures one caller at a time: the price of a durable commit that nobody shares.
func BenchmarkAlone(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkAlone(b, benchFile(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkAlone(b, storetest.Config(b, storetest.Postgres)) })
}

func benchmarkAlone(b *testing.B, cfg store.Config) {
	db := storetest.OpenConfig(b, cfg)
	makeNote(b, db)
	for i := range b.N {
		if err := db.Tx(context.Background(), appendNote(db, 1, i)); err != nil {
			b.Fatal(err)
		}
	}
}
