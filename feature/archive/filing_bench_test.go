package archive

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// BenchmarkKeep measures commits of 8 and 80 messages, each kept for two of many accounts, on SQLite: filed late, with all that filing
// costs, and for comparison by an index. PALABRE_BENCH_ROWS=2000000 and PALABRE_BENCH_ACCOUNTS=100000 make the archive a large one.
func BenchmarkKeep(b *testing.B) {
	for _, late := range []bool{true, false} {
		for _, group := range []int{8, 80} {
			b.Run(fmt.Sprintf("late=%v/group=%d", late, group), func(b *testing.B) { benchmarkKeep(b, late, group) })
		}
	}
}

func benchmarkKeep(b *testing.B, late bool, group int) {
	folder, err := os.MkdirTemp(".", "bench-*") // on a real disk, whatever TMPDIR is
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(folder) })
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(folder, "palabre.db")
	a, err := New(b.Context(), DefaultConfig(), storetest.OpenConfig(b, cfg), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	fillArchive(b, a)
	if a.filing.late = late; !late {
		index(b, a)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.runFiling(ctx) }()
	random := rand.New(rand.NewPCG(1, 2))
	took := make([]time.Duration, b.N)
	bytes, cpu := spent(b)
	b.ResetTimer()
	for i := range took {
		began := time.Now()
		appendMessages(b, a, random, group)
		took[i] = time.Since(began)
	}
	stop()
	<-ended
	if late {
		if err := a.file(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	bytesAfter, cpuAfter := spent(b)
	slices.Sort(took)
	messages := float64(b.N * group)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
	b.ReportMetric(float64(bytesAfter-bytes)/messages, "bytes/message")
	b.ReportMetric(float64((cpuAfter-cpu).Microseconds())/messages, "cpu-µs/message")
}

// BenchmarkChat reads the last 50 messages of one of 200 chats, in an archive of 100,000: all filed; with the largest number that is not
// filed, all of this account; and for comparison by an index.
func BenchmarkChat(b *testing.B) {
	for _, how := range []string{"filed", "waiting", "index"} {
		b.Run(how, func(b *testing.B) {
			a, err := New(b.Context(), DefaultConfig(), storetest.Open(b, storetest.SQLite), nil, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			appendChats(b, a, 100_000)
			if err := a.file(b.Context()); err != nil {
				b.Fatal(err)
			}
			if how == "waiting" {
				appendChats(b, a, filingWindow)
			}
			if how == "index" {
				a.filing.late = false
				index(b, a)
			}
			for b.Loop() {
				q := &request{With: contactOfChat(7), Until: 1<<63 - 1, Page: xmpp.Page{Last: true}}
				if found, _, err := a.read(b.Context(), &core.Account{ID: 1}, q, 50); err != nil || len(found) != 50 {
					b.Fatal(len(found), err)
				}
			}
		})
	}
}

// index makes the indexes that take the place of filing.
func index(b *testing.B, a *Archive) {
	for _, columns := range []string{"account", "account, contact"} {
		if _, err := a.db.Exec(b.Context(), "create index archive_entry_"+strings.ReplaceAll(columns, ", ", "_")+" on archive_entry ("+columns+")"); err != nil {
			b.Fatal(err)
		}
	}
}

func contactOfChat(i int) xmpp.JID { return xmpp.MustJID(fmt.Sprintf("c%d@localhost", i)) }

func appendChats(b *testing.B, a *Archive, n int) {
	err := a.db.Tx(b.Context(), func(ctx context.Context) error {
		for i := range n {
			if err := a.add(ctx, a.db.Next(), 1, contactID(contactOfChat(i%200)), 0, benchStanza); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// benchNumber reads a number from the environment.
func benchNumber(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

var benchStanza = "<message from='romeo@localhost/a' to='juliet@localhost' type='chat' id='x'><body>" + strings.Repeat("x", 200) + "</body></message>"

// appendMessages keeps messages between random neighbours in one transaction.
func appendMessages(b *testing.B, a *Archive, random *rand.Rand, messages int) {
	accounts := benchNumber("PALABRE_BENCH_ACCOUNTS", 1000)
	err := a.db.Tx(b.Context(), func(ctx context.Context) error {
		for range messages {
			from := random.IntN(accounts)
			to := (from + 1 + random.IntN(50)*7) % accounts
			for _, ends := range [][2]int{{from, to}, {to, from}} {
				if err := a.add(ctx, a.db.Next(), int64(ends[0]+1), int64(ends[1]+1)*7919_7919_7919, 0, benchStanza); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// fillArchive makes the archive as large as is asked, and files it in one go.
func fillArchive(b *testing.B, a *Archive) {
	random := rand.New(rand.NewPCG(3, 4))
	for range benchNumber("PALABRE_BENCH_ROWS", 0) / 20_000 {
		appendMessages(b, a, random, 10_000)
	}
	if err := a.FileAll(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// spent is what this process has written, in bytes, and used of the processors.
func spent(b *testing.B) (bytes int64, cpu time.Duration) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d", new(int64), &bytes); err != nil {
		b.Fatal(err)
	}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return bytes, time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
