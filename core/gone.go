package core

import (
	"slices"
	"sync"
)

// maxGone is how many removed accounts are remembered: more than can have stanzas under way.
const maxGone = 200

// gone are the accounts that were removed last. Their numbers are never used again.
type gone struct {
	mu       sync.Mutex // guards accounts
	accounts []int64    // oldest first
}

func (g *gone) add(account int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(g.accounts, account) {
		return
	}
	if len(g.accounts) >= maxGone {
		g.accounts = slices.Delete(g.accounts, 0, 1)
	}
	g.accounts = append(g.accounts, account)
}

func (g *gone) any(accounts []int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(accounts, func(account int64) bool { return slices.Contains(g.accounts, account) })
}
