package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"time"

	"palabre.dev/palabre/client"
)

// storm is the scenario: every connection breaks at the same moment, and every device comes back as fast as it can.
type storm struct {
	sessions int
	cold     bool
	limit    time.Duration

	mu      sync.Mutex // guards what follows
	start   time.Time
	back    []time.Duration
	resumed int
	all     chan struct{}
}

type stormResult struct {
	Sessions int     `json:"sessions"`
	Back     int     `json:"back"`
	Resumed  int     `json:"resumed"`
	Seconds  float64 `json:"seconds"`
	Median   float64 `json:"median_seconds"`
	CPU      float64 `json:"server_cpu_us_per_session"`
	OwnCPU   float64 `json:"load_cpu_us_per_session"`
}

func runStorm(ctx context.Context, t target, args []string) (any, error) {
	s := &storm{all: make(chan struct{})}
	flags := flag.NewFlagSet("storm", flag.ContinueOnError)
	flags.IntVar(&s.sessions, "sessions", 10_000, "sessions, each of its own account")
	flags.BoolVar(&s.cold, "cold", false, "sessions cannot be resumed: everybody begins anew")
	flags.DurationVar(&s.limit, "limit", 5*time.Minute, "how long to wait at most")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	devices, err := s.devices(t)
	if err != nil {
		return nil, err
	}
	defer closeAll(devices)
	if err := connectAll(ctx, devices, 32); err != nil {
		return nil, err
	}
	if err := wait(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	return s.run(ctx, t, devices)
}

func (s *storm) devices(t target) ([]*client.Client, error) {
	devices := make([]*client.Client, s.sessions)
	for i := range devices {
		cfg := t.config(i)
		cfg.NoResume, cfg.OnState, cfg.Timeout = s.cold, s.changed, s.limit
		cfg.AgentID = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		cfg.OnToken = func(client.Token) {} // the client remembers it
		var err error
		if devices[i], err = client.New(cfg); err != nil {
			return nil, err
		}
	}
	return devices, nil
}

func (s *storm) run(ctx context.Context, t target, devices []*client.Client) (any, error) {
	cost, err := startCost(t)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.start = time.Now()
	s.mu.Unlock()
	for _, device := range devices {
		device.Drop()
	}
	limit := time.NewTimer(s.limit)
	defer limit.Stop()
	select {
	case <-s.all:
	case <-limit.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	server, own, err := cost.since()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.back) == 0 {
		return nil, fmt.Errorf("nobody is back after %s", s.limit)
	}
	slices.Sort(s.back)
	n := float64(len(s.back))
	return &stormResult{Sessions: s.sessions, Back: len(s.back), Resumed: s.resumed, Seconds: s.back[len(s.back)-1].Seconds(),
		Median: s.back[len(s.back)/2].Seconds(), CPU: micros(server) / n, OwnCPU: micros(own) / n}, nil
}

// changed counts those that are back.
func (s *storm) changed(state client.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !state.Online || s.start.IsZero() {
		return
	}
	s.back = append(s.back, time.Since(s.start))
	if state.Resumed {
		s.resumed++
	}
	if len(s.back) == s.sessions {
		close(s.all)
	}
}
