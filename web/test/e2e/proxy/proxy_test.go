package main

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// echo gives a proxy before a server that sends back what it gets, and a connection through it.
func echo(t *testing.T) (*proxy, func() net.Conn) {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p := newProxy(server.Addr().String())
	go p.serve(listener)
	return p, func() net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}

// long is for what must come, short for what must not.
const long, short = time.Minute, 100 * time.Millisecond

// say sends a word and waits for it to come back, at most so long.
func say(conn net.Conn, word string, patience time.Duration) error {
	if _, err := conn.Write([]byte(word)); err != nil {
		return err
	}
	return hear(conn, word, patience)
}

func hear(conn net.Conn, word string, patience time.Duration) error {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(word))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if string(got) != word {
		return errors.New("got " + string(got))
	}
	return nil
}

func TestDelay(t *testing.T) {
	p, dial := echo(t)
	p.obey("delay 100ms")
	conn, begin := dial(), time.Now()
	if err := say(conn, "there and back", long); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("there and back took %v", took)
	}
}

func TestStallLosesNothing(t *testing.T) {
	p, dial := echo(t)
	conn := dial()
	if err := say(conn, "before", long); err != nil {
		t.Fatal(err)
	}
	p.obey("stall")
	if err := say(conn, "during", short); !errors.Is(err, syscall.EAGAIN) && !isTimeout(err) {
		t.Fatalf("something passed, or the connection ended: %v", err)
	}
	late := dial()
	if err := say(late, "late", short); !isTimeout(err) {
		t.Fatalf("a new connection: %v", err)
	}
	p.obey("flow")
	if err := hear(conn, "during", long); err != nil {
		t.Fatal(err)
	}
	if err := hear(late, "late", long); err != nil {
		t.Fatal(err)
	}
}

func TestEnds(t *testing.T) {
	p, dial := echo(t)
	for word, want := range map[string]error{"cut": io.EOF, "reset": syscall.ECONNRESET} {
		conn := dial()
		if err := say(conn, "one", long); err != nil {
			t.Fatal(err)
		}
		p.obey(word)
		if err := hear(conn, "x", long); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", word, err, want)
		}
	}
	p.obey("down")
	if err := hear(dial(), "x", long); err == nil {
		t.Error("a connection was taken while down")
	}
	p.obey("up")
	if err := say(dial(), "again", long); err != nil {
		t.Error(err)
	}
}

func TestWords(t *testing.T) {
	p := newProxy("127.0.0.1:1")
	for line, want := range map[string]string{"": "no such command: ", "delay x": "no such time: x", "delay -1s": "no such time: -1s", "count": "0", "up": "ok"} {
		if got := p.obey(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
