package storetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// server is the PostgreSQL server of this process.
var server struct {
	once  sync.Once
	admin *pgxpool.Pool
	url   string
	err   error
	hold  *os.File // the server stops when this pipe closes, with the process
}

// schema makes an empty schema and returns the address of a database in which it is the only one in sight.
func schema(t testing.TB) string {
	t.Helper()
	server.once.Do(func() { server.err = reach() })
	if server.err != nil {
		t.Fatalf("storetest: PostgreSQL: %v", server.err)
	}
	name := pgx.Identifier{"test_" + strings.ToLower(rand.Text()[:16])}.Sanitize()
	sql(t, "create schema "+name)
	t.Cleanup(func() { sql(t, "drop schema "+name+" cascade") })
	u, err := url.Parse(server.url)
	if err != nil {
		t.Fatalf("storetest: %s: %v", server.url, err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func sql(t testing.TB, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := server.admin.Exec(ctx, text); err != nil {
		t.Errorf("storetest: %s: %v", text, err)
	}
}

func reach() (err error) {
	server.url = os.Getenv("PALABRE_TEST_POSTGRES")
	if server.url == "" {
		if server.url, err = start(); err != nil {
			return err
		}
	}
	server.admin, err = pgxpool.New(context.Background(), server.url)
	return err
}

// start runs test/with-postgres with a command that lasts as long as this process.
func start() (string, error) {
	script, err := findScript()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(script, "sh", "-c", `echo "$PALABRE_TEST_POSTGRES"; exec cat >/dev/null`)
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	server.hold = write
	cmd.Stdin = read
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	read.Close()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", errors.Join(fmt.Errorf("start a private server: %s", complaint.String()), cmd.Wait())
	}
	return strings.TrimSpace(line), nil
}

// findScript looks for the script from the folder of the test upwards, in the folder of go.mod.
func findScript() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(folder, "test", "with-postgres"), nil
		}
		if parent := filepath.Dir(folder); parent != folder {
			folder = parent
			continue
		}
		return "", errors.New("go.mod not found above the test's folder")
	}
}
