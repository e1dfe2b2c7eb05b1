package bank_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"palabre.dev/palabre/test/palabretest"
)

// The test binary is a bot in a process of its own when these are set: its folder, the server's address, and where it kills itself ("saying:2" is the second
// time that it is about to say something).
const (
	botFolder = "PALABRE_TEST_BANK"
	botServer = "PALABRE_TEST_BANK_SERVER"
	botEnd    = "PALABRE_TEST_BANK_END"
)

func TestMain(m *testing.M) {
	if os.Getenv(botFolder) == "" {
		os.Exit(m.Run())
	}
	if err := beBot(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beBot() error {
	ctx, end := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer end()
	b, err := openBooks(ctx, os.Getenv(botFolder))
	if err != nil {
		return err
	}
	bot, err := b.bot(ctx, b.bank, nil)
	if err != nil {
		return err
	}
	step, text, _ := strings.Cut(os.Getenv(botEnd), ":")
	left, _ := strconv.Atoi(text)
	steps := make(chan string)
	go func() {
		for at := range steps {
			if at == step {
				if left--; left == 0 {
					syscall.Kill(os.Getpid(), syscall.SIGKILL)
				}
			}
		}
	}()
	bot.AtStep(func(at string) { steps <- at; steps <- "" }) // it goes on when the step was looked at
	if err := bot.Run(ctx, login("nurse", os.Getenv(botServer))); ctx.Err() == nil {
		return err
	}
	b.close()
	return nil
}

// process starts a bot; gone is closed when it has ended.
func process(t *testing.T, s *palabretest.Server, folder, end string) (cmd *exec.Cmd, gone chan struct{}) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), botFolder+"="+folder, botServer+"="+s.Addr, botEnd+"="+end)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	gone = make(chan struct{})
	go func() {
		defer close(gone)
		cmd.Wait()
	}()
	t.Cleanup(func() { stop(cmd, gone) })
	return cmd, gone
}

// stop ends a bot in order: servers bear few sessions of an account that nobody has ended.
func stop(cmd *exec.Cmd, gone chan struct{}) {
	cmd.Process.Signal(syscall.SIGTERM)
	<-gone
}

// TestKilled kills the bot at each of its steps, in the middle of an order, and starts it again: each answer is heard once, and the money moves once.
// PALABRE_LONG=1 takes all steps, otherwise those where the most could go wrong.
func TestKilled(t *testing.T) {
	t.Parallel()
	steps := []string{"answered:2", "ordering:1", "ordered:1", "saying:2", "said:2"}
	if os.Getenv("PALABRE_LONG") != "" {
		steps = nil
		for _, step := range []string{"opened", "kept", "found", "answered", "saying", "said"} {
			steps = append(steps, step+":1", step+":2")
		}
		steps = append(steps, "ordering:1", "ordered:1", "told:1")
	}
	s, folder := town(t), t.TempDir()
	romeo := start(t, s, "romeo")
	for i, step := range steps {
		dying, gone := process(t, s, folder, step)
		again := make(chan struct{})
		go func() { // whoever looks after the bank's machine
			defer close(again)
			<-gone
			if status := dying.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
				t.Errorf("%s: the bot was not killed: %v", step, dying.ProcessState)
			}
		}()
		romeo.says("send 1.00 to Nadia")
		if strings.HasSuffix(step, ":1") && !strings.HasPrefix(step, "order") && !strings.HasPrefix(step, "told") {
			<-again
		}
		var next *exec.Cmd
		var end chan struct{}
		select {
		case <-again:
			next, end = process(t, s, folder, "")
			romeo.expects("Send 1.00 MAD to Nadia Haddad (account MA1002)? Answer “yes” within 5 minutes, or “no”.")
			romeo.says("yes")
		case text := <-romeo.heard:
			if !strings.HasPrefix(text, "Send 1.00 MAD") {
				t.Errorf("%s: heard %q", step, text)
			}
			romeo.says("yes")
			<-again
			next, end = process(t, s, folder, "")
		}
		romeo.expects("Done: 1.00 MAD sent to Nadia Haddad. Reference {*}. Your balance is {*} MAD.")
		romeo.says("balance")
		romeo.expects(fmt.Sprintf("Your account MA1001 has %d.00 MAD.", 1000-i-1)) // and nothing before it
		stop(next, end)
	}
}
