package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// machine tells the processors, how busy they were with other work, and what the disk makes anybody wait who wants to be sure.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	load := "?"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(text), " ")
	}
	disk := "?"
	if p50, p99, err := syncTimes(); err == nil {
		disk = fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", p50, p99)
	}
	return fmt.Sprintf("%d × %s, load before %s, fdatasync of 8 KiB %s", runtime.NumCPU(), model, load, disk)
}

// syncTimes writes and syncs a small file 200 times, and returns milliseconds.
func syncTimes() (p50, p99 float64, err error) {
	file, err := os.CreateTemp("", "palabre-bench-sync-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	times := make([]time.Duration, 200)
	block := make([]byte, 8<<10)
	for i := range times {
		if _, err := file.WriteAt(block, int64(i%64)*int64(len(block))); err != nil {
			return 0, 0, err
		}
		start := time.Now()
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return 0, 0, err
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return float64(times[100].Microseconds()) / 1e3, float64(times[198].Microseconds()) / 1e3, nil
}

// openFiles is how many files one process may have.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(limit.Max)
}
