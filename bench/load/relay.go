package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// relay is the scenario that says what the network alone costs: frames go from one connection of a pair through a process to the other.
type relay struct {
	pairs, outstanding, size int
	duration                 time.Duration
	delivered                atomic.Int64
}

type relayResult struct {
	Delivered int64   `json:"delivered"`
	PerSecond float64 `json:"per_second"`
	CPU       float64 `json:"server_cpu_us_per_message"`
	OwnCPU    float64 `json:"load_cpu_us_per_message"`
}

func runRelay(ctx context.Context, _ target, args []string) (any, error) {
	r := &relay{}
	flags := flag.NewFlagSet("relay", flag.ContinueOnError)
	flags.IntVar(&r.pairs, "pairs", 50, "pairs of connections")
	flags.IntVar(&r.outstanding, "outstanding", 8, "frames of each pair on their way")
	flags.IntVar(&r.size, "size", 200, "bytes of a frame")
	flags.DurationVar(&r.duration, "duration", 5*time.Second, "time of counting")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self, "relayed")
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	var address string
	_, err = fmt.Fscanln(bufio.NewReader(out), &address)
	var result *relayResult
	if err == nil {
		result, err = r.run(ctx, address, target{pids: []int{process.Process.Pid}})
	}
	return result, errors.Join(err, in.Close(), process.Wait())
}

func (r *relay) run(ctx context.Context, address string, t target) (*relayResult, error) {
	var pairs sync.WaitGroup
	defer pairs.Wait()
	for i := range r.pairs {
		sender, err := join(ctx, address, i)
		if err != nil {
			return nil, err
		}
		defer sender.Close()
		receiver, err := join(ctx, address, i)
		if err != nil {
			return nil, err
		}
		defer receiver.Close()
		pairs.Go(func() { r.carry(sender, receiver) })
	}
	if err := wait(ctx, time.Second); err != nil {
		return nil, err
	}
	cost, err := startCost(t)
	if err != nil {
		return nil, err
	}
	start, delivered := time.Now(), r.delivered.Load()
	if err := wait(ctx, r.duration); err != nil {
		return nil, err
	}
	delivered, took := r.delivered.Load()-delivered, time.Since(start)
	server, own, err := cost.since()
	if err != nil {
		return nil, err
	}
	n := float64(delivered)
	return &relayResult{Delivered: delivered, PerSecond: n / took.Seconds(), CPU: micros(server) / n, OwnCPU: micros(own) / n}, nil
}

func join(ctx context.Context, address string, pair int) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = conn.Write(binary.BigEndian.AppendUint32(nil, uint32(pair)))
	return conn, err
}

// carry keeps frames on their way until a connection ends.
func (r *relay) carry(sender, receiver net.Conn) {
	frame := make([]byte, r.size)
	for range r.outstanding {
		if _, err := sender.Write(frame); err != nil {
			return
		}
	}
	in := bufio.NewReaderSize(receiver, 64<<10)
	for {
		if _, err := io.ReadFull(in, frame); err != nil {
			return
		}
		r.delivered.Add(1)
		if _, err := sender.Write(frame); err != nil {
			return
		}
	}
}

// runRelayed is the process in the middle: it prints its address and ends with its standard input.
func runRelayed(ctx context.Context, _ target, _ []string) (any, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go accept(listener)
	fmt.Println(listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return nil, errors.Join(err, listener.Close())
}

// accept joins the first and the second connection of each pair.
func accept(listener net.Listener) {
	waiting := map[uint32]net.Conn{}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		var pair [4]byte
		if _, err := io.ReadFull(conn, pair[:]); err != nil {
			continue
		}
		n := binary.BigEndian.Uint32(pair[:])
		first, ok := waiting[n]
		if !ok {
			waiting[n] = conn
			continue
		}
		delete(waiting, n)
		go forward(first, conn)
		go forward(conn, first)
	}
}

func forward(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
