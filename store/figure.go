package store

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// figureTime is how long a figure may take to be read.
const figureTime = time.Second

// Gauge is a figure for Prometheus that a statement gives as one whole number; a failing database shows as -1.
func (db *DB) Gauge(name, help, sql string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(db.figure(sql)) })
}

// AgeGauge is the seconds since a time that a statement gives in microseconds since 1970, by the clock now; 0 where it gives 0 or a time to come, and -1 for
// a failing database.
func (db *DB) AgeGauge(name, help, sql string, now func() time.Time) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
		since := db.figure(sql)
		if since <= 0 {
			return float64(since)
		}
		return max(now().Sub(time.UnixMicro(since)).Seconds(), 0)
	})
}

func (db *DB) figure(sql string) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), figureTime)
	defer cancel()
	var n int64
	if err := db.QueryRow(ctx, sql).Scan(&n); err != nil {
		return -1
	}
	return n
}
