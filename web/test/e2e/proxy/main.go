// Command proxy is the bad network of the end-to-end tests: it passes TCP connections on to another address, and delays, stalls, refuses, cuts
// or resets them when it is told to. It knows nothing of what it passes, so TLS and the WebSocket in it suffer as on a real way: browsers' own
// emulation of a network leaves an open WebSocket alone.
//
//	proxy -to 127.0.0.1:5443 [-listen 127.0.0.1:0]
//
// It prints its address, and then "ok" (or what is wrong) for each line that it reads:
//
//	delay 200ms    every byte arrives so much later, in both directions
//	stall          nothing passes any more, and nothing ends; new connections wait as well
//	flow           everything passes again, what was held back first
//	down, up       new connections are refused (closed at once); they are taken again
//	cut            all connections end in order (FIN)
//	reset          all connections end at once (RST)
//	to ADDRESS     new connections go to another address
//	count          prints how many connections came so far
//
// It ends with its input.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where to listen")
	to := flag.String("to", "", "where to pass connections on to")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	p := newProxy(*to)
	go p.serve(listener)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(p.obey(lines.Text()))
	}
}

// obey does what one line says and gives what to answer.
func (p *proxy) obey(line string) string {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "delay":
		delay, err := time.ParseDuration(rest)
		if err != nil || delay < 0 {
			return "no such time: " + rest
		}
		p.delay.Store(int64(delay))
	case "stall":
		p.hold(true)
	case "flow":
		p.hold(false)
	case "down":
		p.down.Store(true)
	case "up":
		p.down.Store(false)
	case "cut":
		p.end(false)
	case "reset":
		p.end(true)
	case "to":
		p.to.Store(rest)
	case "count":
		return fmt.Sprint(p.count.Load())
	default:
		return "no such command: " + word
	}
	return "ok"
}
