package core

import (
	"log/slog"
	"runtime/debug"
)

// Guard runs fn, which is work of a feature's own goroutine, and turns a panic into a line of the log: a mistake in one feature, or in what it was told
// by somebody, must not end everybody's conversation. It reports whether fn came to its end.
func Guard(log *slog.Logger, what string, fn func()) (ended bool) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic", "while", what, "err", p, "stack", string(debug.Stack()))
		}
	}()
	fn()
	return true
}
