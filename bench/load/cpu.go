package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat on Linux: USER_HZ is 100 on all machines that Go runs on.
const tick = 10 * time.Millisecond

// usage is what the server's processes have used.
type usage struct {
	cpu    time.Duration
	memory int64 // resident bytes now
}

// usageOf sums processes and all their children.
func usageOf(pids []int) (usage, error) {
	var u usage
	children, err := processTree()
	if err != nil {
		return u, err
	}
	seen := map[int]bool{}
	for len(pids) > 0 {
		pid := pids[0]
		pids = append(pids[1:], children[pid]...)
		if seen[pid] {
			continue
		}
		seen[pid] = true
		one, err := usageOfOne(pid)
		if err != nil {
			continue // it has ended meanwhile
		}
		u.cpu += one.cpu
		u.memory += one.memory
	}
	return u, nil
}

func processTree() (map[int][]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, path := range stats {
		fields, err := statFields(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, err
		}
		children[parent] = append(children[parent], pid)
	}
	return children, nil
}

// statFields are the fields after the command's name: state, parent … (proc(5)).
func statFields(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 22 {
		return nil, fmt.Errorf("%s: %d fields", path, len(fields))
	}
	return fields, nil
}

func usageOfOne(pid int) (usage, error) {
	fields, err := statFields(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, err
	}
	var numbers [3]int64 // utime, stime, rss
	for i, field := range []int{11, 12, 21} {
		if numbers[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return usage{}, err
		}
	}
	return usage{cpu: time.Duration(numbers[0]+numbers[1]) * tick, memory: numbers[2] * int64(os.Getpagesize())}, nil
}

// selfPID is this process.
var selfPID = os.Getpid()

// cost is the processor time used so far by the server and by this process.
type cost struct {
	t           target
	server, own time.Duration
}

func startCost(t target) (*cost, error) {
	c := &cost{t: t}
	var err error
	c.server, c.own, err = c.since()
	return c, err
}

// since is what was used since the start.
func (c *cost) since() (server, own time.Duration, err error) {
	s, err := usageOf(c.t.pids)
	if err != nil {
		return 0, 0, err
	}
	o, err := usageOfOne(selfPID)
	return s.cpu - c.server, o.cpu - c.own, err
}

// busyTime is what all processes of the machine have used of its processors since it started (proc_stat(5)).
func busyTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 {
		return 0, fmt.Errorf("/proc/stat: %d fields", len(fields))
	}
	var busy int64
	for _, i := range []int{1, 2, 3, 6, 7} { // user, nice, system, irq, softirq
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		busy += n
	}
	return time.Duration(busy) * tick, nil
}
