package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collectors are the service's figures for Prometheus.
func (s *Service) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		s.db.Gauge("palabre_pay_notices_waiting", "Notices of payments that the network does not have yet.", "select count(*) from pay_notice"),
		s.db.AgeGauge("palabre_pay_notices_oldest_age_seconds", "Age of the oldest of these.", "select cast(coalesce(min(id), 0) as bigint) from pay_notice", s.now),
		s.db.Gauge("palabre_pay_payments_waiting", "Payments by a rail of which it is not known what has become.", "select count(*) from pay_payment where state = 'waiting'"),
		s.db.AgeGauge("palabre_pay_payments_waiting_oldest_age_seconds", "Age of the oldest of these.",
			"select cast(coalesce(min(time), 0) as bigint) from pay_payment where state = 'waiting'", s.now),
		s.db.Gauge("palabre_pay_requests_open", "Requests and shares of bills that wait to be paid.", "select count(*) from pay_request where due > 0"),
		s.db.Gauge("palabre_pay_wallets_frozen", "Wallets that their owners have frozen.", "select count(*) from pay_wallet where frozen > 0"),
	}
}

const (
	keptDays  = 7 // that sums of a day are kept; they count for that day alone
	prunePace = time.Hour
	pruneMost = 500 // at once, so that nobody waits for it
)

// pruneDays forgets sums of days that are over, and keys whose time is, until ctx ends.
func (s *Service) pruneDays(ctx context.Context) {
	tick := time.NewTicker(prunePace)
	defer tick.Stop()
	for {
		if err := errors.Join(s.prune(ctx), s.forgetKeys(ctx)); err != nil && ctx.Err() == nil {
			s.log.Warn("what is over could not be forgotten; it is tried again", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) prune(ctx context.Context) error {
	if _, err := s.db.Exec(ctx, "delete from pay_link where until < $1", s.now().UnixMicro()); err != nil {
		return fmt.Errorf("forget wrong PINs by links: %w", err)
	}
	for {
		n, err := s.db.Exec(ctx, `delete from pay_day where (account, unit, day) in (select account, unit, day from pay_day where day < $1 limit $2)`, dayOf(s.now())-keptDays, pruneMost)
		if err != nil {
			return fmt.Errorf("forget days: %w", err)
		}
		if n < pruneMost {
			return nil
		}
	}
}
