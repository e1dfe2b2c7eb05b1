package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// book is a ledger that is measured. Accounts are numbers from 0.
type book interface {
	// fill makes so many accounts and gives each 1,000,000 minor units.
	fill(ctx context.Context, accounts int) error
	// move moves one minor unit under an id of its own, and returns when that is on disk.
	move(ctx context.Context, id string, from, to int) error
	close() error
	// inside says that the ledger runs in this process, so that what this process uses is what it costs.
	inside() bool
}

// ledgerRun is what one ledger is put through.
type ledgerRun struct {
	at                 string
	accounts, inFlight int
	warmUp, duration   time.Duration
	repeat             int
}

// ledgerResult is what came out. Hot is with every transfer to one merchant, half at half of the uniform rate.
type ledgerResult struct {
	Uniform movedResult `json:"uniform"`
	Half    movedResult `json:"half"`
	Hot     movedResult `json:"hot"`
	// HotPercent is the rate of hot in percent of the uniform one.
	HotPercent float64 `json:"hot_percent"`
	// OthersPercent is what neither the ledger nor this process has used of a processor.
	OthersPercent float64 `json:"others_cpu_percent"`
}

type movedResult struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	// ServerCPU is microseconds for each transfer of the ledger and its database, LoadCPU of this process where the ledger is another one.
	ServerCPU float64 `json:"server_cpu_us"`
	LoadCPU   float64 `json:"load_cpu_us"`
	others    float64
}

func runLedger(ctx context.Context, t target, args []string) (any, error) {
	r := ledgerRun{}
	flags := flag.NewFlagSet("ledger", flag.ContinueOnError)
	flags.StringVar(&r.at, "at", "sqlite::memory:", "sqlite:PATH or postgres://… for Palabre's in this process, palabre+http://, formance+http:// or pgledger+postgres:// for others")
	flags.IntVar(&r.accounts, "accounts", 10_000, "accounts")
	flags.IntVar(&r.inFlight, "in-flight", 512, "transfers that wait for their answer")
	flags.DurationVar(&r.warmUp, "warm-up", 2*time.Second, "before each measurement")
	flags.DurationVar(&r.duration, "duration", 8*time.Second, "of each measurement")
	flags.IntVar(&r.repeat, "repeat", 3, "measurements at full speed; the median counts")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	b, err := openBook(ctx, r.at, r.inFlight)
	if err != nil {
		return nil, err
	}
	if err := b.fill(ctx, r.accounts); err != nil {
		return nil, errors.Join(fmt.Errorf("fill: %w", err), b.close())
	}
	result, err := r.measure(ctx, t, b)
	return result, errors.Join(err, b.close())
}

func (r *ledgerRun) measure(ctx context.Context, t target, b book) (result ledgerResult, err error) {
	if result.Uniform, err = r.median(ctx, t, b, false); err != nil {
		return result, err
	}
	if result.Hot, err = r.median(ctx, t, b, true); err != nil {
		return result, err
	}
	if result.Half, err = r.moves(ctx, t, b, false, result.Uniform.PerSecond/2); err != nil {
		return result, err
	}
	result.HotPercent = 100 * result.Hot.PerSecond / result.Uniform.PerSecond
	result.OthersPercent = max(result.Uniform.others, result.Hot.others, result.Half.others)
	return result, nil
}

// median is the measurement in the middle, by rate.
func (r *ledgerRun) median(ctx context.Context, t target, b book, hot bool) (movedResult, error) {
	all := make([]movedResult, r.repeat)
	for i := range all {
		var err error
		if all[i], err = r.moves(ctx, t, b, hot, 0); err != nil {
			return movedResult{}, err
		}
	}
	slices.SortFunc(all, func(a, b movedResult) int { return int(a.PerSecond - b.PerSecond) })
	return all[len(all)/2], nil
}

// moves has many callers at once, as fast as they are answered, or at a rate: then a transfer's time counts from when it was due.
func (r *ledgerRun) moves(ctx context.Context, t target, b book, hot bool, rate float64) (result movedResult, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, counting atomic.Int64
	var over atomic.Bool
	took := make([][]time.Duration, r.inFlight)
	name := strconv.FormatInt(rand.Int64(), 36)
	start := time.Now()
	var all sync.WaitGroup
	for i := range r.inFlight {
		all.Go(func() {
			for !over.Load() && ctx.Err() == nil {
				n := next.Add(1)
				begun := time.Now()
				if rate > 0 {
					begun = start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
					time.Sleep(time.Until(begun))
				}
				from, to := rand.IntN(r.accounts-1)+1, 0
				if !hot {
					to = (from + 1 + rand.IntN(r.accounts-1)) % r.accounts
				}
				if err := b.move(ctx, name+strconv.FormatInt(n, 10), from, to); err != nil {
					cancel(err)
					return
				}
				if counting.Load() == 1 {
					took[i] = append(took[i], time.Since(begun))
				}
			}
		})
	}
	err = wait(ctx, r.warmUp)
	c, costErr := startCost(t)
	busy, busyErr := busyTime()
	began := time.Now()
	counting.Store(1)
	err = errors.Join(err, costErr, busyErr)
	if err == nil {
		err = wait(ctx, r.duration)
	}
	counting.Store(2)
	length := time.Since(began)
	if err == nil {
		err = result.count(c, busy, length, b.inside(), took, &all, &over)
	}
	over.Store(true)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return result, cause
	}
	return result, err
}

// count ends a measurement and makes figures of it.
func (m *movedResult) count(c *cost, busy, length time.Duration, inside bool, took [][]time.Duration, all *sync.WaitGroup, over *atomic.Bool) error {
	server, own, err := c.since()
	if err != nil {
		return err
	}
	now, err := busyTime()
	if err != nil {
		return err
	}
	over.Store(true)
	all.Wait()
	times := slices.Concat(took...)
	if len(times) == 0 {
		return errors.New("nothing was moved")
	}
	slices.Sort(times)
	done := float64(len(times))
	m.PerSecond = done / length.Seconds()
	m.P50 = float64(times[len(times)/2].Microseconds()) / 1e3
	m.P99 = float64(times[len(times)*99/100].Microseconds()) / 1e3
	m.others = 100 * max(0, now-busy-server-own).Seconds() / length.Seconds()
	if inside {
		server, own = server+own, 0
	}
	m.ServerCPU, m.LoadCPU = float64(server.Microseconds())/done, float64(own.Microseconds())/done
	return nil
}
