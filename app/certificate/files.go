package certificate

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"time"
)

// reloadInterval is how often the files are looked at.
const reloadInterval = 30 * time.Second

// openFiles reads the files now, and later whenever one of them has changed. New ones that cannot be used are reported and the old
// certificate goes on.
func (s *Source) openFiles() error {
	cert, err := tls.LoadX509KeyPair(s.cfg.CertFile, s.cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("read certificate files: %w", err)
	}
	var now current
	now.Store(&cert)
	s.get = now.get
	stamp := s.stamp()
	s.run = func(ctx context.Context) error {
		return every(ctx, reloadInterval, func() {
			if newer := s.stamp(); newer != stamp {
				stamp = newer
				s.reload(&now)
			}
		})
	}
	return nil
}

func (s *Source) reload(now *current) {
	cert, err := tls.LoadX509KeyPair(s.cfg.CertFile, s.cfg.KeyFile)
	if err != nil {
		s.log.Error("new certificate files cannot be used; the old certificate goes on", "err", err)
		return
	}
	now.Store(&cert)
	s.log.Info("certificate read again", "expires", cert.Leaf.NotAfter)
}

// stamp changes whenever one of the files does.
func (s *Source) stamp() [2]time.Time {
	var stamp [2]time.Time
	for i, path := range []string{s.cfg.CertFile, s.cfg.KeyFile} {
		if info, err := os.Stat(path); err == nil {
			stamp[i] = info.ModTime()
		}
	}
	return stamp
}
