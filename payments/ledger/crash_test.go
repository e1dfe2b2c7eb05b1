package ledger

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// crashURL, when set, makes this binary the child of TestKilledLedgerKeepsWhatItAnswered; crashRound is how often it was killed before.
const (
	crashURL   = "PALABRE_LEDGER_CRASH_URL"
	crashRound = "PALABRE_LEDGER_CRASH_ROUND"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		fmt.Fprintln(os.Stderr, postUntilKilled(url, os.Getenv(crashRound)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	crashCallers  = 32
	crashAccounts = 10
)

// crashRequest is what a caller asks for as its n-th, from the name alone: so that the parent knows it, too.
func crashRequest(name string) []Operation {
	sum := sha256.Sum256([]byte(name))
	random := rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), 1))
	account := func() string { return "k" + strconv.Itoa(random.IntN(crashAccounts)) }
	operations := make([]Operation, 0, 2)
	for i := range 1 + random.IntN(2) {
		from := account()
		to := "world"
		if random.IntN(4) > 0 {
			from, to = to, from
		}
		operations = append(operations, transfer(name+"."+strconv.Itoa(i), from, to, 1+random.Int64N(50)))
	}
	return operations
}

// postUntilKilled has many callers at full speed and prints what each is answered.
func postUntilKilled(url, round string) error {
	cfg := store.DefaultConfig()
	cfg.URL = url
	ctx := context.Background()
	db, err := store.Open(ctx, cfg, quiet)
	if err != nil {
		return err
	}
	l, err := New(ctx, DefaultConfig(), db, quiet)
	if err != nil {
		return err
	}
	told := make(chan string, 1024)
	for caller := range crashCallers {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%s-%d-%d", round, caller, n)
				records, err := l.Post(ctx, nil, crashRequest(name)...)
				told <- fmt.Sprintf("%d %d %s", caller, n, answerOf(records, err))
			}
		}()
	}
	for line := range told {
		fmt.Println(line) // unbuffered: the parent has it before the next one
	}
	return nil
}

// answerOf is an answer in one word.
func answerOf(records []Record, err error) string {
	var refused *Refused
	if errors.As(err, &refused) {
		return "refused:" + strconv.Itoa(int(refused.Reason)) + ":" + refused.ID
	}
	if err != nil {
		return "failed:" + strings.ReplaceAll(err.Error(), " ", "_")
	}
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "%d/", r.Number)
	}
	return b.String()
}

// killsOfOne is how often one journal is killed: it is verified after each, so that a longer one would take its time with reading.
const killsOfOne = 25

// TestKilledLedgerKeepsWhatItAnswered kills a posting process at random moments. What was answered is there once, with the answer that was given; what was not
// answered is there once or not at all, and asked again it is done. LEDGER_KILLS is how often on each database.
func TestKilledLedgerKeepsWhatItAnswered(t *testing.T) {
	kills := killsOfOne
	if text := os.Getenv("LEDGER_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			answers, records := 0, int64(0)
			for done := 0; done < kills; done += killsOfOne {
				t.Run(strconv.Itoa(done), func(t *testing.T) {
					cfg := storetest.File(t)
					if engine == storetest.Postgres {
						cfg = storetest.Config(t, engine)
					}
					moreAnswers, moreRecords := killAgainAndAgain(t, cfg, min(killsOfOne, kills-done))
					answers, records = answers+moreAnswers, records+moreRecords
				})
			}
			t.Logf("%d kills, %d answers, %d records, all sound", kills, answers, records)
		})
	}
}

// killAgainAndAgain kills a process that posts in one journal, and looks at it after each time.
func killAgainAndAgain(t *testing.T, cfg store.Config, kills int) (answers int, records int64) {
	again := open(t, cfg)
	post(t, again.l, opening("world", Unbounded))
	for i := range crashAccounts {
		post(t, again.l, opening("k"+strconv.Itoa(i), 0))
	}
	again.close()
	for round := range kills {
		answered := killWhilePosting(t, cfg.URL, strconv.Itoa(round), 1+rand.IntN(2000))
		answers += len(answered)
		after := open(t, cfg)
		after.settle(t, strconv.Itoa(round), answered)
		after.close()
	}
	last := open(t, cfg)
	defer last.close()
	return answers, sound(t, last.l).Records
}

// opened is a ledger that is opened again and again.
type opened struct {
	db *store.DB
	l  *Ledger
}

func open(t *testing.T, cfg store.Config) *opened {
	t.Helper()
	for until := time.Now().Add(time.Minute); ; {
		db, err := store.Open(t.Context(), cfg, quiet)
		if errors.Is(err, store.ErrLocked) && time.Now().Before(until) {
			continue // the database has not noticed yet that the process is no more
		}
		if err != nil {
			t.Fatal(err)
		}
		l, err := New(t.Context(), DefaultConfig(), db, quiet)
		if err != nil {
			t.Fatal(err)
		}
		return &opened{db, l}
	}
}

func (o *opened) close() {
	o.l.Close()
	_ = o.db.Close()
}

// killWhilePosting kills a process after so many answers and gives them, by caller and number.
func killWhilePosting(t *testing.T, url, round string, after int) map[[2]int]string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashURL+"="+url, crashRound+"="+round)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	answered := map[[2]int]string{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		var caller, number int
		var answer string
		if _, err := fmt.Sscanf(lines.Text(), "%d %d %s", &caller, &number, &answer); err != nil || !strings.HasSuffix(answer, "/") && !strings.HasPrefix(answer, "refused:") {
			break // the last line may be cut short
		}
		answered[[2]int{caller, number}] = answer
		if n == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	return answered
}

// settle asks everything again: what was answered gets the same answer, what was on its way is done now at the latest.
func (o *opened) settle(t *testing.T, round string, answered map[[2]int]string) {
	t.Helper()
	var all sync.WaitGroup
	for caller := range crashCallers {
		all.Go(func() {
			n := 0
			for ; answered[[2]int{caller, n}] != ""; n++ {
				answer := answered[[2]int{caller, n}]
				if got := answerOf(o.l.Post(t.Context(), nil, crashRequest(fmt.Sprintf("%s-%d-%d", round, caller, n))...)); got != answer {
					t.Errorf("round %s, caller %d, request %d: %s, then %s", round, caller, n, answer, got)
				}
			}
			for range 2 { // on its way, or answered in a line that was cut short
				o.finish(t, fmt.Sprintf("%s-%d-%d", round, caller, n))
				n++
			}
		})
	}
	all.Wait()
	sound(t, o.l)
}

// finish asks for what may or may not have been done.
func (o *opened) finish(t *testing.T, name string) {
	operations := crashRequest(name)
	kept, was, err := o.l.Look(t.Context(), operations[0].ID)
	if err != nil {
		t.Error(err)
		return
	}
	records, err := o.l.Post(t.Context(), nil, operations...)
	var refused *Refused
	switch {
	case err != nil && !errors.As(err, &refused):
		t.Errorf("%s: %v", name, err)
	case was && kept.Refused == nil && (err != nil || records[0].Number != kept.Number):
		t.Errorf("%s was kept as %d, and is answered %s", name, kept.Number, answerOf(records, err))
	case was && kept.Refused != nil && err == nil:
		t.Errorf("%s was refused, and is done", name)
	}
}
