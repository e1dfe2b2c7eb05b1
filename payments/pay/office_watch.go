package pay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// The rules by which the office is shown what somebody should look at (docs/payments.md). They accuse nobody: each says what was counted.
const (
	watched      = 7 * day // how far back it is looked
	maxWatched   = 50_000  // payments that are looked at
	splitTimes   = 3       // so many payments to one payee within a day, each just under the limit …
	splitPart    = 80      // … of one transaction: from this many hundredths of it
	strangerDay  = 10      // so many people within a day who were never paid before
	wrongPINs    = 3       // so many wrong PINs of a key since the last right one
	takenTimes   = 3       // so many promises that one account has taken back
	maxSuspicion = 500
)

// Kinds that Watch finds, beside those that were noted when they happened.
const (
	splitLimit = "splitting"  // payments just under the limit to one payee; About is how many and whom
	newPayees  = "new-payees" // many people within a day who were never paid before; About is how many
	wrongTries = "wrong-pins" // wrong PINs; About is how many
	takesBacks = "takes-back" // promises without network that their payer has taken back; About is how many
	dayMicro   = int64(day / time.Microsecond)
)

// Watch finds by rules what an operator should look at, and adds what was noted when it happened: of the last seven days, the newest first, at most 500.
func (s *Service) Watch(ctx context.Context) ([]Suspicion, error) {
	now := s.now()
	all, err := s.Suspicions(ctx, now.Add(day), maxSuspicion)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(one Suspicion) bool { return one.At.Before(now.Add(-watched)) })
	tries, err := s.wrongTries(ctx, now)
	if err != nil {
		return nil, err
	}
	paid, err := s.watchPayments(ctx, now)
	if err != nil {
		return nil, err
	}
	backs, err := s.takingsBack(ctx, now)
	if err != nil {
		return nil, err
	}
	all = slices.Concat(all, tries, paid, backs)
	slices.SortStableFunc(all, func(a, b Suspicion) int { return b.At.Compare(a.At) })
	return all[:min(len(all), maxSuspicion)], nil
}

// wrongTries finds keys whose PIN somebody does not know.
func (s *Service) wrongTries(ctx context.Context, now time.Time) (all []Suspicion, err error) {
	rows, err := s.db.Query(ctx, "select account, wrong, waits from pay_key where wrong >= $1 and dropped = 0 order by account limit $2", int64(wrongPINs), int64(maxSuspicion))
	if err != nil {
		return nil, fmt.Errorf("read wrong PINs: %w", err)
	}
	for rows.Next() {
		one := Suspicion{Kind: wrongTries, At: now}
		var wrong, waits int64
		if err := rows.Scan(&one.Account, &wrong, &waits); err != nil {
			return nil, fmt.Errorf("read wrong PINs: %w", err)
		}
		one.About = strconv.FormatInt(wrong, 10)
		all = append(all, one)
	}
	return all, nil
}

// takingsBack finds who takes back what they promise.
func (s *Service) takingsBack(ctx context.Context, now time.Time) ([]Suspicion, error) {
	return read(ctx, s.db, "takings-back", func(row *store.Rows) (Suspicion, error) {
		one := Suspicion{Kind: takesBacks}
		var times, at int64
		err := row.Scan(&one.Account, &times, &at)
		one.About, one.At = strconv.FormatInt(times, 10), atMicro(at)
		return one, err
	}, "select account, count(*), max(time) from pay_promise where back and time > $1 group by account having count(*) >= $2 order by max(time) desc limit $3", now.Add(-watched).UnixMicro(),
		int64(takenTimes), int64(maxSuspicion))
}

// seen is a payment as the rules look at it.
type seen struct {
	payer, payee, unit, id string
	amount, at             int64
}

// watchPayments applies the rules that look at payments.
func (s *Service) watchPayments(ctx context.Context, now time.Time) (all []Suspicion, err error) {
	rows, err := s.db.Query(ctx, `select payer, payee, unit, id, amount, time from pay_payment where state = 'done' and time > $1 and kind in ('send', 'tip', 'offline')
		order by time desc limit $2`, now.Add(-watched).UnixMicro(), int64(maxWatched))
	if err != nil {
		return nil, fmt.Errorf("watch payments: %w", err)
	}
	between := map[[3]string][]seen{} // by payer, payee and unit, the newest first
	for rows.Next() {
		var one seen
		if err := rows.Scan(&one.payer, &one.payee, &one.unit, &one.id, &one.amount, &one.at); err != nil {
			return nil, fmt.Errorf("watch payments: %w", err)
		}
		key := [3]string{one.payer, one.payee, one.unit}
		between[key] = append(between[key], one)
	}
	fresh := map[string][]seen{} // by payer: the first payment of each who was never paid before
	for key, some := range between {
		one, err := s.splitting(ctx, key, some)
		if err != nil {
			return nil, err
		}
		if one != nil {
			all = append(all, *one)
		}
		first, err := s.firstOf(ctx, key, some)
		if err != nil {
			return nil, err
		}
		if first != nil {
			fresh[key[0]] = append(fresh[key[0]], *first)
		}
	}
	for payer, some := range fresh {
		if most, at := mostWithinADay(some); most >= strangerDay {
			all = append(all, Suspicion{At: atMicro(at), Account: payer, Kind: newPayees, About: strconv.Itoa(most)})
		}
	}
	return all, nil
}

// splitting finds payments to one payee that are each just under what one may be.
func (s *Service) splitting(ctx context.Context, key [3]string, some []seen) (*Suspicion, error) {
	unit := s.cfg.unit(key[2])
	if unit == nil || len(some) < splitTimes {
		return nil, nil
	}
	payer, err := xmpp.ParseJID(key[0])
	if err != nil {
		return nil, nil // it is nobody's wallet
	}
	w, err := s.walletOf(ctx, payer)
	if err != nil {
		return nil, err
	}
	limit, _ := unit.limit(w.level)
	if limit.Transaction == 0 {
		return nil, nil
	}
	some = slices.DeleteFunc(slices.Clone(some), func(one seen) bool { return one.amount < limit.Transaction/100*splitPart })
	most, at := mostWithinADay(some)
	if most < splitTimes {
		return nil, nil
	}
	return &Suspicion{At: atMicro(at), Account: key[0], Kind: splitLimit, Payment: some[0].id, About: strconv.Itoa(most) + " × " + key[1]}, nil
}

// firstOf is the first payment to somebody who was never paid before, nil if they were.
func (s *Service) firstOf(ctx context.Context, key [3]string, some []seen) (*seen, error) {
	var times int64
	err := s.db.QueryRow(ctx, "select coalesce(sum(times), 0) from pay_payee where account = $1 and payee = $2 and unit = $3", key[0], key[1], key[2]).Scan(&times)
	if err != nil {
		return nil, fmt.Errorf("watch payments: %w", err)
	}
	if times > int64(len(some)) {
		return nil, nil
	}
	return &some[len(some)-1], nil
}

// mostWithinADay is how many payments were made within 24 hours at most, and when the last of them was.
func mostWithinADay(some []seen) (most int, at int64) {
	slices.SortFunc(some, func(a, b seen) int { return cmp.Compare(a.at, b.at) })
	first := 0
	for i, one := range some {
		for one.at-some[first].at > dayMicro {
			first++
		}
		if n := i - first + 1; n >= most {
			most, at = n, one.at
		}
	}
	return most, at
}
