package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the garbage collector is set. A small server may double and treble its heap before it is worth collecting; one with very many sessions
// may not, for its idle sessions are small and lie between the garbage of their logins. So garbage may grow to half of what is in use and a
// fixed amount on top. What a burst leaves behind is given back when it is quiet again.
const (
	lookEvery     = 5 * time.Second
	garbageBytes  = 32 << 20
	leastPercent  = 50
	mostPercent   = 300
	quietBytes    = 4 << 20 // allocated a second: less is quiet
	slackBytes    = 8 << 20 // what may be kept beyond an eighth more than is in use
	changePercent = 10      // smaller changes of the collector's setting are not worth it
)

// memoryKeeper sets the collector, and gives memory back to the system when the server is quiet.
type memoryKeeper struct {
	samples   []metrics.Sample
	fixed     bool // the operator has set the collector (GOGC)
	percent   int
	allocated uint64
	spent     uint64 // what was allocated when memory was last given back
}

func newMemoryKeeper() *memoryKeeper {
	k := &memoryKeeper{fixed: os.Getenv("GOGC") != "", samples: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}}
	k.adapt()
	return k
}

// adapt sets when to collect, by how much is in use.
func (k *memoryKeeper) adapt() {
	metrics.Read(k.samples)
	live := max(k.samples[1].Value.Uint64(), 1<<20)
	percent := min(leastPercent+int(100*garbageBytes/live), mostPercent)
	if change := percent - k.percent; !k.fixed && (change > changePercent || change < -changePercent) {
		debug.SetGCPercent(percent)
		k.percent = percent
	}
}

// Run looks every few seconds until ctx ends.
func (k *memoryKeeper) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			k.adapt()
			if k.wasteful() {
				debug.FreeOSMemory()
				k.spent = k.allocated
			}
		}
	}
}

// wasteful reports, by what adapt has read, whether it is quiet, much memory is held that nobody uses, and enough has been allocated since the last time for it to
// be worth another collection.
func (k *memoryKeeper) wasteful() bool {
	value := func(i int) uint64 { return k.samples[i].Value.Uint64() }
	allocated := value(0)
	rate := (allocated - k.allocated) / uint64(lookEvery/time.Second)
	k.allocated = allocated
	live, held := value(1), value(2)+value(3)+value(4)
	return rate < quietBytes && held > live+live/8+slackBytes && allocated-k.spent > live/4+slackBytes
}
