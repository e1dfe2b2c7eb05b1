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

	digits  int64 // of an opening: those of its unit, which ledger_unit has
	unsound bool  // it was read, and is not what was written
}

// side is one account of a row, and what it stands at afterwards.
type side struct{ account, balance, held int64 }

// A row is hashed in one of two formats. The second has what the first leaves out and nothing else of a row binds: the id, about and data of what was refused, and the digits of the
// unit of an opening. Whatever else is done is in the first.
const (
	format1 = "palabre ledger 1\n"
	format2 = "palabre ledger 2\n"
)

// sum is the hash of a row whose hash of the row before is given. It is what Verify computes again, so it changes never.
func (r *row) sum(before [sha256.Size]byte) [sha256.Size]byte {
	switch {
	case r.reason != 0:
		var b []byte
		for _, text := range [...]string{r.key, r.about, string(r.data)} {
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
		return r.sumIn(format2, before, b)
	case r.kind == Opening:
		return r.sumIn(format2, before, binary.BigEndian.AppendUint64(nil, uint64(r.digits)))
	}
	return r.sumIn(format1, before, nil)
}

func (r *row) sumIn(format string, before [sha256.Size]byte, more []byte) [sha256.Size]byte {
	b := make([]byte, 0, 256+len(more))
	b = append(b, format...)
	b = append(b, before[:]...)
	b = append(b, r.content[:]...)
	for _, n := range [...]int64{r.id, int64(r.kind), int64(r.reason), r.debit.account, r.debit.balance, r.debit.held, r.credit.account, r.credit.balance, r.credit.held,
		r.amount, r.target, r.expires} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return sha256.Sum256(append(b, more...))
}

// follows says whether a row has the hash that it should have after another one, and whether that is of the first format where the second is due: it was written before there was one.
func (r *row) follows(before [sha256.Size]byte) (ok, old bool) {
	if r.hash == r.sum(before) {
		return true, false
	}
	old = (r.reason != 0 || r.kind == Opening) && r.hash == r.sumIn(format1, before, nil)
	return old, old
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
