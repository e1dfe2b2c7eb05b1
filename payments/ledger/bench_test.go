package ledger

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

const (
	benchAccounts = 10_000
	benchInFlight = 512
)

// BenchmarkTransfers is durable transfers with 512 in flight between 10,000 accounts, and with every one of them to one merchant.
func BenchmarkTransfers(b *testing.B) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		cfg := storetest.File(b)
		if engine == storetest.Postgres {
			cfg = storetest.Config(b, engine)
		}
		db, err := store.Open(b.Context(), cfg, quiet)
		if err != nil {
			b.Fatal(err)
		}
		l, err := New(b.Context(), DefaultConfig(), db, quiet)
		if err != nil {
			b.Fatal(err)
		}
		post(b, l, opening("world", Unbounded))
		for i := 0; i < benchAccounts; i += 32 {
			some := make([]Operation, 0, 64)
			for j := i; j < min(i+32, benchAccounts); j++ {
				name := "u" + strconv.Itoa(j)
				some = append(some, opening(name, 0), transfer("in-"+name, "world", name, 1_000_000))
			}
			post(b, l, some...)
		}
		for _, scene := range []string{"uniform", "merchant"} {
			b.Run(engine+"/"+scene, func(b *testing.B) { transfers(b, l, scene) })
		}
		l.Close()
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func transfers(b *testing.B, l *Ledger, scene string) {
	var next atomic.Int64
	run := strconv.FormatInt(rand.Int64(), 36)
	var all sync.WaitGroup
	before := used()
	b.ResetTimer()
	for range benchInFlight {
		all.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				from, to := rand.IntN(benchAccounts-1)+1, 0
				if scene == "uniform" {
					to = (from + 1 + rand.IntN(benchAccounts-1)) % benchAccounts
				}
				if _, err := l.Post(b.Context(), nil, transfer(run+strconv.FormatInt(n, 10), "u"+strconv.Itoa(from), "u"+strconv.Itoa(to), 1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "transfers/s")
	b.ReportMetric(float64((used()-before)/1000)/float64(b.N), "cpu-µs/transfer")
}

// used is the processor time of this process, in nanoseconds.
func used() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
