package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// row is one row of the journal.
type row struct {
	id            int64
	key           string
	kind          Kind
	reason        Reason
	debit, credit side
	amount        int64
	target        int64
	expires       int64
	about         string
	data          []byte
	content       [sha256.Size]byte
	hash          [sha256.Size]byte
}

// side is one account of a row, and what it stands at afterwards.
type side struct{ account, balance, held int64 }

// sum is the hash of a row whose hash of the row before is given. It is what Verify computes again, so it changes never.
func (r *row) sum(before [sha256.Size]byte) [sha256.Size]byte {
	b := make([]byte, 0, 256)
	b = append(b, "palabre ledger 1\n"...)
	b = append(b, before[:]...)
	b = append(b, r.content[:]...)
	for _, n := range [...]int64{r.id, int64(r.kind), int64(r.reason), r.debit.account, r.debit.balance, r.debit.held, r.credit.account, r.credit.balance, r.credit.held,
		r.amount, r.target, r.expires} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return sha256.Sum256(b)
}

// Record is one thing that the ledger has kept.
type Record struct {
	// Number is its place in the journal, and its time in microseconds since 1970 (UTC).
	Number int64
	// ID is what the caller called it.
	ID   string
	Kind Kind
	// Amount is what was moved or held, in minor units; 0 where nothing was.
	Amount int64
	// Paid is the balance of the account that was paid, in minor units, after it; 0 where none was.
	Paid int64
	// Hash is that of the record and all before it.
	Hash [sha256.Size]byte
}

// Time is when it was kept.
func (r Record) Time() time.Time { return time.UnixMicro(r.Number) }

func (r *row) record() Record {
	return Record{Number: r.id, ID: r.key, Kind: r.kind, Amount: r.amount, Paid: r.credit.balance, Hash: r.hash}
}
