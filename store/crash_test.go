package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// crashURL, when set, makes this binary the child of TestKilledProcessKeepsWhatItAcknowledged.
const crashURL = "PALABRE_STORE_CRASH_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(url))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled has many writers at full speed and prints the id of each pair of rows once it is acknowledged.
func writeUntilKilled(url string) error {
	cfg := store.DefaultConfig()
	cfg.URL = url
	db, err := store.Open(context.Background(), cfg, quiet)
	if err != nil {
		return err
	}
	told := make(chan int64, 1024)
	for account := range 50 {
		go func() {
			for {
				id := db.Next()
				err := db.Tx(context.Background(), func(ctx context.Context) error {
					body := strings.Repeat("x", 300)
					return errors.Join(db.Append(ctx, note, account, id, body), db.Append(ctx, note, 1000+account, id, body))
				})
				if err == nil {
					told <- id
				}
			}
		}()
	}
	for id := range told {
		fmt.Println(id) // unbuffered: the parent has it before the next one
	}
	return nil
}

// TestKilledProcessKeepsWhatItAcknowledged kills a writing process at random moments. Each acknowledged pair of rows
// must be there, and no half pair.
func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	cfg := storetest.File(t)
	db := storetest.OpenConfig(t, cfg)
	makeNote(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[int64]bool{}
	for range 5 {
		killOnce(t, cfg.URL, 1+rand.IntN(1500), acknowledged)
		check(t, cfg, acknowledged)
	}
	t.Logf("%d acknowledged, all kept", len(acknowledged))
}

func killOnce(t *testing.T, url string, after int, acknowledged map[int64]bool) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashURL+"="+url)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		id, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			break // the last line may be cut short
		}
		if acknowledged[id] {
			t.Errorf("id %d was given out twice", id)
		}
		acknowledged[id] = true
		if n == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
}

func check(t *testing.T, cfg store.Config, acknowledged map[int64]bool) {
	t.Helper()
	db := storetest.OpenConfig(t, cfg)
	defer db.Close()
	kept := map[int64]int{}
	for from := int64(0); ; {
		rows, err := db.Query(context.Background(), `select id from note where id > $1 order by id limit 50000`, from)
		if err != nil {
			t.Fatal(err)
		}
		if rows.Len() == 0 {
			break
		}
		for rows.Next() {
			if err := rows.Scan(&from); err != nil {
				t.Fatal(err)
			}
			kept[from]++
		}
	}
	for id := range acknowledged {
		if kept[id] != 2 {
			t.Errorf("acknowledged %d is there %d times out of 2", id, kept[id])
		}
	}
	for id, n := range kept {
		if n != 2 {
			t.Errorf("half of %d was kept", id)
		}
	}
	if next := db.Next(); kept[next] != 0 {
		t.Errorf("id %d is given out again", next)
	}
}
