package main

import (
	"testing"
	"time"
)

// TestCrowd: a message is done when every member has it; what comes once more is noticed.
func TestCrowd(t *testing.T) {
	c := &crowd{members: 3, done: make([]int32, maxMessages), at: make([]time.Time, maxMessages), release: make([]func(), maxMessages)}
	released := 0
	first, _ := c.begin(func() { released++ })
	second, _ := c.begin(func() { released++ })
	c.count(true)
	for _, number := range []int{first, second, first, first} {
		c.arrived(number)
	}
	if released != 1 || c.whole != 1 || len(c.last) != 1 {
		t.Fatalf("one of two messages is at all three members, but %d are released, %d whole, %d timed", released, c.whole, len(c.last))
	}
	c.arrived(second)
	c.arrived(second)
	if err := c.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if delivered := c.count(false); delivered != 6 || released != 2 {
		t.Fatalf("%d deliveries, %d released; want 6 and 2", delivered, released)
	}
	c.arrived(second)
	if err := c.drain(t.Context()); err == nil {
		t.Fatal("a delivery that came twice was not noticed")
	}
}
