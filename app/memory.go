package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the garbage collector is set. Sessions cost little memory and messages make much garbage that is soon gone: collecting later saves a
// good part of the processor time of a small server. What a burst of logins leaves behind is given back when it is quiet again.
const (
	collectPercent = 200
	lookEvery      = 5 * time.Second
	quietBytes     = 4 << 20  // allocated a second: less is quiet
	slackBytes     = 32 << 20 // what may be kept beyond a quarter more than is in use
)

// memoryKeeper gives memory back to the system when the server is quiet.
type memoryKeeper struct {
	samples   []metrics.Sample
	allocated uint64
	spent     uint64 // what was allocated when memory was last given back
}

func newMemoryKeeper() *memoryKeeper {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
	return &memoryKeeper{samples: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}}
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
			if k.wasteful() {
				debug.FreeOSMemory()
				k.spent = k.allocated
			}
		}
	}
}

// wasteful reports whether it is quiet, much memory is held that nobody uses, and enough has been allocated since the last time for it to
// be worth another collection.
func (k *memoryKeeper) wasteful() bool {
	metrics.Read(k.samples)
	value := func(i int) uint64 { return k.samples[i].Value.Uint64() }
	allocated := value(0)
	rate := (allocated - k.allocated) / uint64(lookEvery/time.Second)
	k.allocated = allocated
	live, held := value(1), value(2)+value(3)+value(4)
	return rate < quietBytes && held > live+live/4+slackBytes && allocated-k.spent > live/4+slackBytes
}
