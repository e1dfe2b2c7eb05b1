package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"sync"
	"time"

	"palabre.dev/palabre/client"
)

// logins is the scenario: workers log in and out, one account after another.
type logins struct {
	workers, accounts int
	resumeTLS, fast   bool
	duration          time.Duration

	mu     sync.Mutex // guards what follows
	times  []time.Duration
	tokens map[int]client.Token
}

type loginResult struct {
	Logins    int     `json:"logins"`
	PerSecond float64 `json:"per_second"`
	CPU       float64 `json:"server_cpu_us_per_login"`
	OwnCPU    float64 `json:"load_cpu_us_per_login"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Tokens    bool    `json:"tokens_used"`
}

func runLogin(ctx context.Context, t target, args []string) (any, error) {
	l := &logins{tokens: map[int]client.Token{}}
	flags := flag.NewFlagSet("login", flag.ContinueOnError)
	flags.IntVar(&l.workers, "workers", 8, "logins at the same time")
	flags.IntVar(&l.accounts, "accounts", 96, "accounts that take turns")
	flags.BoolVar(&l.resumeTLS, "resume-tls", false, "resume TLS sessions")
	flags.BoolVar(&l.fast, "fast", false, "return with a token (XEP-0484) where the server gives one")
	flags.DurationVar(&l.duration, "duration", 8*time.Second, "time of counting")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if l.workers < 1 || l.accounts < l.workers || l.accounts%l.workers != 0 { // never two at once with the same token
		return nil, fmt.Errorf("%d accounts cannot be shared evenly by %d workers", l.accounts, l.workers)
	}
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	return l.run(ctx, t)
}

func (l *logins) run(ctx context.Context, t target) (any, error) {
	if l.fast { // everybody gets a token first
		for n := range l.accounts {
			if err := l.once(ctx, t, n); err != nil {
				return nil, err
			}
		}
		l.times = nil
	}
	cost, err := startCost(t)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	counted, stop := context.WithTimeout(ctx, l.duration)
	defer stop()
	errs := make(chan error, l.workers)
	for w := range l.workers {
		go func() { errs <- l.work(counted, t, w) }()
	}
	for range l.workers {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	took := time.Since(start)
	server, own, err := cost.since()
	if err != nil {
		return nil, err
	}
	n := float64(len(l.times))
	if n == 0 {
		return nil, fmt.Errorf("no login in %s", took)
	}
	return &loginResult{Logins: len(l.times), PerSecond: n / took.Seconds(), CPU: micros(server) / n, OwnCPU: micros(own) / n,
		P50: quantile(l.times, 0.5), P99: quantile(l.times, 0.99), Tokens: len(l.tokens) > 0}, nil
}

// work logs its share of the accounts in and out until ctx ends; a login that has begun is finished.
func (l *logins) work(ctx context.Context, t target, worker int) error {
	for i := worker; ctx.Err() == nil; i += l.workers {
		n := i % l.accounts
		if err := l.once(context.WithoutCancel(ctx), t, n); err != nil {
			return fmt.Errorf("account %d: %w", n, err)
		}
	}
	return nil
}

func (l *logins) once(ctx context.Context, t target, n int) error {
	cfg := t.config(n)
	if !l.resumeTLS && !l.fast {
		cfg.TLS = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	if l.fast {
		l.mu.Lock()
		cfg.Token = l.tokens[n]
		l.mu.Unlock()
		cfg.AgentID = fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		cfg.OnToken = func(token client.Token) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.tokens[n] = token
		}
	}
	device, err := client.New(cfg)
	if err != nil {
		return err
	}
	defer device.Close()
	start := time.Now()
	if err := device.Connect(ctx); err != nil {
		return err
	}
	took := time.Since(start)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, took)
	return nil
}
