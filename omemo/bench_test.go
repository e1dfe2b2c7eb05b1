package omemo

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// benchDevice has n correspondents that have answered.
func benchDevice(b *testing.B, v Version, store Store, n int) (*Device, []Address) {
	b.Helper()
	ctx := context.Background()
	d, err := Create(ctx, store, "bot@example.org", nil, start)
	if err != nil {
		b.Fatal(err)
	}
	peer, err := Create(ctx, NewMemoryStore(), "peer@example.org", nil, start)
	if err != nil {
		b.Fatal(err)
	}
	bundle, err := peer.Bundle(ctx, v)
	if err != nil {
		b.Fatal(err)
	}
	to := make([]Address, n)
	for i := range to {
		to[i] = Address{fmt.Sprintf("user%d@example.org", i), uint32(i + 1)}
		if err := d.Begin(ctx, to[i], bundle); err != nil {
			b.Fatal(err)
		}
	}
	return d, to
}

func BenchmarkEncrypt(b *testing.B) {
	text := make([]byte, 200)
	for _, v := range versions {
		for _, n := range []int{1, 300} {
			for _, store := range []string{"memory", "file"} {
				b.Run(fmt.Sprintf("%s/%d/%s", v, n, store), func(b *testing.B) {
					var s Store = NewMemoryStore()
					if store == "file" {
						f, err := OpenFile(filepath.Join(b.TempDir(), "state"))
						if err != nil {
							b.Fatal(err)
						}
						defer func() {
							if err := f.Close(); err != nil {
								b.Error(err)
							}
						}()
						s = f
					}
					d, to := benchDevice(b, v, s, n)
					b.ReportAllocs()
					for b.Loop() {
						if m, _, err := d.Encrypt(context.Background(), v, text, to); err != nil || len(m.Keys) != n {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkDecrypt reads messages of one chain, as an offline device does when it catches up.
func BenchmarkDecrypt(b *testing.B) {
	for _, v := range versions {
		b.Run(v.String(), func(b *testing.B) {
			ctx := context.Background()
			d, to := benchDevice(b, v, NewMemoryStore(), 0)
			peer, err := Create(ctx, NewMemoryStore(), "peer@example.org", nil, start)
			if err != nil {
				b.Fatal(err)
			}
			bundle, err := d.Bundle(ctx, v)
			if err != nil {
				b.Fatal(err)
			}
			if err := peer.Begin(ctx, d.address(), bundle); err != nil {
				b.Fatal(err)
			}
			to = append(to, d.address())
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				m, _, err := peer.Encrypt(ctx, v, make([]byte, 200), to)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if _, err := d.Decrypt(ctx, peer.jid, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBegin is the first contact with one device: the check of its bundle with 100 prekeys, and the agreement.
func BenchmarkBegin(b *testing.B) {
	d, to := benchDevice(b, V03, NewMemoryStore(), 1)
	bundle, err := d.Bundle(context.Background(), V03)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := d.Begin(context.Background(), to[0], bundle); err != nil {
			b.Fatal(err)
		}
	}
}
