// Package jobs does work that must survive a crash: it is enqueued in the transaction that makes it necessary, and done after that, at
// least once, again and again with growing pauses until it succeeds or is given up. What it does must therefore bear being done twice.
// Several nodes that share a database are left out for now.
package jobs

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/store"
)

//go:embed migrations
var migrations embed.FS

// Job is one piece of work.
type Job struct {
	ID       int64
	Kind     string // what is to be done: the worker's name
	Name     string // what to; unique among the jobs of its kind that are not done
	Payload  string // what the worker needs to know
	Attempts int    // how often it has failed

	asked int64 // when it was enqueued last
}

// Worker does the jobs of one kind.
type Worker struct {
	// Do does one job; it is given a deadline. An error means that it is to be tried again, ErrGiveUp that it is not, and
	// Again that it is to be gone on with.
	Do func(ctx context.Context, job Job) error
	// Timeout is how long one attempt may take.
	Timeout time.Duration
	// MaxAttempts is after how many failures the job is given up.
	MaxAttempts int
	// FirstPause is the pause after the first failure; it doubles with each further one, up to an hour.
	FirstPause time.Duration
}

// ErrGiveUp, wrapped or alone, ends a job that cannot succeed.
var ErrGiveUp = errors.New("job given up")

// Again, returned by a worker, says that it has done a part of the job and is to go on after this pause. That is no failure: it does not
// count against MaxAttempts.
type Again time.Duration

// Error says so to those who do not know it.
func (a Again) Error() string { return "to be gone on with after " + time.Duration(a).String() }

const (
	batch     = 100                   // jobs of a kind that Work does at most
	parallel  = 16                    // jobs of a kind done at once: those that wait for a slow gateway hold up no other kind
	pollPause = 1 * time.Second       // how often due jobs are looked for
	maxPause  = 1 * time.Hour         // between two attempts
	eagerly   = 20 * time.Millisecond // how soon after Enqueue its transaction is expected to be committed
)

// Jobs is the queue. Register workers before Run.
type Jobs struct {
	db      *store.DB
	log     *slog.Logger
	workers map[string]Worker
	wake    chan struct{}
	done    *prometheus.CounterVec
	now     func() time.Time

	mu      sync.Mutex // guards running
	running map[string]map[int64]bool
}

// New makes the queue and its table.
func New(ctx context.Context, db *store.DB, log *slog.Logger) (*Jobs, error) {
	j := &Jobs{db: db, log: log.With("part", "jobs"), workers: map[string]Worker{}, wake: make(chan struct{}, 1), now: time.Now, running: map[string]map[int64]bool{},
		done: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_jobs_attempts_total", Help: "Attempts at jobs, by kind and outcome."},
			[]string{"kind", "outcome"})}
	return j, db.Migrate(ctx, "jobs", migrations)
}

// Register sets who does the jobs of a kind.
func (j *Jobs) Register(kind string, worker Worker) {
	if _, twice := j.workers[kind]; twice || worker.Do == nil || worker.Timeout <= 0 || worker.MaxAttempts < 1 || worker.FirstPause <= 0 {
		panic("jobs: bad or second worker for " + kind)
	}
	j.workers[kind] = worker
}

// Enqueue adds a job in the transaction that ctx carries; it is done once that is committed. Where one of the same kind and name waits
// already, nothing is added; if that one is being done at this moment, it is done once more afterwards.
func (j *Jobs) Enqueue(ctx context.Context, kind, name, payload string) error {
	_, err := j.db.Exec(ctx, `insert into jobs_job (id, kind, name, due, attempts, payload, asked) values ($1, $2, $3, $4, 0, $5, $1)
		on conflict (kind, name) do update set asked = excluded.asked`, j.db.Next(), kind, name, j.now().UnixMicro(), payload)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	j.wakeUp()
	return nil
}

// Cancel removes a job that is not done, in the transaction that ctx carries.
func (j *Jobs) Cancel(ctx context.Context, kind, name string) error {
	_, err := j.db.Exec(ctx, "delete from jobs_job where kind = $1 and name = $2", kind, name)
	return err
}

// Hurry makes a job that waits for its time due now, in the transaction that ctx carries.
func (j *Jobs) Hurry(ctx context.Context, kind, name string) error {
	_, err := j.db.Exec(ctx, "update jobs_job set due = $1 where kind = $2 and name = $3", j.now().UnixMicro(), kind, name)
	j.wakeUp()
	return err
}

func (j *Jobs) wakeUp() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Run does jobs as they fall due, until ctx ends; those under way are waited for.
func (j *Jobs) Run(ctx context.Context) error {
	var under sync.WaitGroup
	defer under.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	soon := true // the timer runs for a wake-up: others do not put it off
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-j.wake:
			if !soon {
				timer.Reset(eagerly)
				soon = true
			}
			continue
		case <-timer.C:
			soon = false
		}
		if _, err := j.begin(ctx, &under, parallel); err != nil && ctx.Err() == nil {
			j.log.Error("could not look for jobs", "err", err)
		}
		timer.Reset(pollPause)
	}
}

// Work does the jobs that are due now, at most 100 of each kind, and returns how many there were.
func (j *Jobs) Work(ctx context.Context) (int, error) {
	var under sync.WaitGroup
	defer under.Wait()
	return j.begin(ctx, &under, batch)
}

// begin starts jobs that are due, so that at most limit of each kind are under way, and returns how many it started.
func (j *Jobs) begin(ctx context.Context, under *sync.WaitGroup, limit int) (started int, err error) {
	kinds, err := j.kinds(ctx)
	if err != nil {
		return 0, err
	}
	for _, kind := range kinds {
		due, more, err := j.due(ctx, kind, limit)
		if err != nil {
			return started, err
		}
		for _, job := range due {
			started++
			under.Go(func() {
				j.attempt(ctx, job)
				j.finished(job, more)
			})
		}
	}
	return started, nil
}

// kinds are those of the jobs that are due.
func (j *Jobs) kinds(ctx context.Context) (kinds []string, err error) {
	rows, err := j.db.Query(ctx, "select distinct kind from jobs_job where due <= $1", j.now().UnixMicro())
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// due takes the next jobs of a kind that are not under way, so many that there will be at most limit. With more, others may be due.
func (j *Jobs) due(ctx context.Context, kind string, limit int) (due []Job, more bool, err error) {
	rows, err := j.db.Query(ctx, "select id, name, payload, attempts, asked from jobs_job where kind = $1 and due <= $2 order by due limit $3",
		kind, j.now().UnixMicro(), limit)
	if err != nil {
		return nil, false, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	running := j.running[kind]
	if running == nil {
		running = map[int64]bool{}
		j.running[kind] = running
	}
	for rows.Next() && len(running) < limit {
		job := Job{Kind: kind}
		if err := rows.Scan(&job.ID, &job.Name, &job.Payload, &job.Attempts, &job.asked); err != nil {
			return nil, false, err
		}
		if !running[job.ID] {
			running[job.ID] = true
			due = append(due, job)
		}
	}
	return due, rows.Len() == limit, nil
}

// finished makes room; with more, others of the kind were waiting for it.
func (j *Jobs) finished(job Job, more bool) {
	j.mu.Lock()
	delete(j.running[job.Kind], job.ID)
	j.mu.Unlock()
	if more {
		j.wakeUp()
	}
}

// attempt does one job and notes how it went.
func (j *Jobs) attempt(ctx context.Context, job Job) {
	worker, known := j.workers[job.Kind]
	if !known { // left by a version that knew it
		worker = Worker{Do: func(context.Context, Job) error { return ErrGiveUp }, Timeout: time.Second, MaxAttempts: 1}
	}
	err := do(ctx, worker, job)
	job.Attempts++
	outcome := "done"
	var again Again
	switch {
	case ctx.Err() != nil:
		return // stopping: it stays due
	case err == nil:
		err = j.end(ctx, job)
	case errors.As(err, &again):
		outcome, job.Attempts = "continued", 0
		err = j.postpone(ctx, job, time.Duration(again))
		if again <= 0 {
			j.wakeUp()
		}
	case errors.Is(err, ErrGiveUp) || job.Attempts >= worker.MaxAttempts:
		outcome = "given up"
		j.log.Warn("job given up", "kind", job.Kind, "attempts", job.Attempts, "err", err)
		err = j.end(ctx, job)
	default:
		outcome = "failed"
		err = j.postpone(ctx, job, pauseAfter(worker.FirstPause, job.Attempts))
	}
	j.done.WithLabelValues(job.Kind, outcome).Inc()
	if err != nil {
		j.log.Error("could not note a job's outcome", "kind", job.Kind, "err", err)
	}
}

func do(ctx context.Context, worker Worker, job Job) (err error) {
	ctx, cancel := context.WithTimeout(ctx, worker.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return worker.Do(ctx, job)
}

// end takes a job out, unless it was enqueued again while it was being done: then it is due anew.
func (j *Jobs) end(ctx context.Context, job Job) error {
	return j.db.Tx(ctx, func(ctx context.Context) error {
		n, err := j.db.Exec(ctx, "delete from jobs_job where id = $1 and asked = $2", job.ID, job.asked)
		if err != nil || n > 0 {
			return err
		}
		_, err = j.db.Exec(ctx, "update jobs_job set attempts = 0, due = $1 where id = $2", j.now().UnixMicro(), job.ID)
		j.wakeUp()
		return err
	})
}

func (j *Jobs) postpone(ctx context.Context, job Job, pause time.Duration) error {
	_, err := j.db.Exec(ctx, "update jobs_job set attempts = $1, due = $2 where id = $3", job.Attempts, j.now().Add(pause).UnixMicro(), job.ID)
	return err
}

func pauseAfter(first time.Duration, attempts int) time.Duration {
	pause := first
	for range attempts - 1 {
		if pause *= 2; pause >= maxPause {
			return maxPause
		}
	}
	return pause
}

// Collectors are the queue's figures for Prometheus.
func (j *Jobs) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		j.done,
		j.db.Gauge("palabre_jobs_waiting", "Jobs that are not done.", "select count(*) from jobs_job"),
		j.db.AgeGauge("palabre_jobs_oldest_age_seconds", "Age of the oldest job that is not done.", "select cast(coalesce(min(id), 0) as bigint) from jobs_job", j.now),
	}
}
