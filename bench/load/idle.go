package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/client"
)

// idle holds sessions in several processes, because each has a limit of open files, and measures what the server needs for each.
type idle struct {
	sessions, perProcess, atOnce int
	settle                       time.Duration
}

type idleResult struct {
	Sessions            int     `json:"sessions"`
	MemoryPerSession    float64 `json:"server_kib_per_session"`
	MemoryBefore        float64 `json:"server_mib_before"`
	MemoryAfter         float64 `json:"server_mib_after"`
	LoadMemory          float64 `json:"load_kib_per_session"`
	LoginsPerSecond     float64 `json:"logins_per_second"`
	CPUPerLogin         float64 `json:"server_cpu_us_per_login"`
	CPUWhileIdle        float64 `json:"server_cpu_us_per_session_and_minute"`
	SecondsToConnectAll float64 `json:"connect_seconds"`
}

func runIdle(ctx context.Context, t target, args []string) (any, error) {
	in := &idle{}
	flags := flag.NewFlagSet("idle", flag.ContinueOnError)
	flags.IntVar(&in.sessions, "sessions", 5000, "sessions in all, each of its own account")
	flags.IntVar(&in.perProcess, "per-process", 9000, "sessions that one process holds")
	flags.IntVar(&in.atOnce, "at-once", 32, "logins at the same time in each process")
	flags.DurationVar(&in.settle, "settle", 10*time.Second, "time between the last login and the look at the memory")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	return in.run(ctx, t)
}

func (in *idle) run(ctx context.Context, t target) (result *idleResult, err error) {
	before, err := usageOf(t.pids)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	var holders []*holder
	defer func() {
		for _, h := range holders {
			err = errors.Join(err, h.end())
		}
	}()
	for first := 0; first < in.sessions; first += in.perProcess {
		h, err := in.hold(ctx, t, first)
		if err != nil {
			return nil, err
		}
		holders = append(holders, h)
		if err := h.ready(); err != nil {
			return nil, err
		}
	}
	took := time.Since(start)
	connected, err := usageOf(t.pids)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, in.settle); err != nil {
		return nil, err
	}
	after, err := usageOf(t.pids)
	if err != nil {
		return nil, err
	}
	own := usage{}
	for _, h := range holders {
		one, err := usageOfOne(h.process.Process.Pid)
		if err != nil {
			return nil, err
		}
		own.memory += one.memory
	}
	n := float64(in.sessions)
	return &idleResult{Sessions: in.sessions, MemoryPerSession: float64(after.memory-before.memory) / 1024 / n,
		MemoryBefore: float64(before.memory) / (1 << 20), MemoryAfter: float64(after.memory) / (1 << 20), LoadMemory: float64(own.memory) / 1024 / n,
		LoginsPerSecond: n / took.Seconds(), CPUPerLogin: micros(connected.cpu-before.cpu) / n,
		CPUWhileIdle: micros(after.cpu-connected.cpu) / n / in.settle.Minutes(), SecondsToConnectAll: took.Seconds()}, nil
}

// holder is a process that holds sessions.
type holder struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func (in *idle) hold(ctx context.Context, t target, first int) (*holder, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	count := min(in.perProcess, in.sessions-first)
	process := exec.CommandContext(ctx, self, "-server", t.server, "-method", t.method, "-domain", t.domain, "-password", t.password,
		"-prefix", t.prefix, "hold", "-first", strconv.Itoa(first), "-sessions", strconv.Itoa(count), "-at-once", strconv.Itoa(in.atOnce))
	process.Stderr = os.Stderr
	process.Env = append(os.Environ(), "GOGC=50")
	h := &holder{process: process}
	if h.in, err = process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.out = bufio.NewReader(out)
	return h, process.Start()
}

func (h *holder) ready() error {
	line, err := h.out.ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		return fmt.Errorf("a process that holds sessions says %q: %w", line, errors.Join(err, errors.New("not ready")))
	}
	return nil
}

func (h *holder) end() error {
	err := h.in.Close()
	_, copyErr := io.Copy(io.Discard, h.out)
	return errors.Join(err, copyErr, h.process.Wait())
}

type holdResult struct {
	Lost int `json:"lost"`
}

// runHold connects, says that it is ready, and waits.
func runHold(ctx context.Context, t target, args []string) (any, error) {
	flags := flag.NewFlagSet("hold", flag.ContinueOnError)
	first := flags.Int("first", 0, "number of the first account")
	sessions := flags.Int("sessions", 1000, "sessions")
	atOnce := flags.Int("at-once", 32, "logins at the same time")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if err := warm(ctx, t, *first); err != nil {
		return nil, err
	}
	devices := make([]*client.Client, *sessions)
	defer closeAll(devices)
	for i := range devices {
		var err error
		if devices[i], err = client.New(t.config(*first + i)); err != nil {
			return nil, err
		}
	}
	if err := connectAll(ctx, devices, *atOnce); err != nil {
		return nil, err
	}
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return nil, err
	}
	lost := 0
	for _, device := range devices {
		if device.Err() != nil {
			lost++
		}
	}
	return holdResult{lost}, nil
}
