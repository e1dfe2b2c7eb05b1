package pay

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/xmpp"
)

// KeepKeys is the kind of a proposal that says which payment keys of an account stay (Of: their ids, with blanks between them): all others are dropped, also those that were added
// meanwhile. It is refused where one that is to stay is there no more. Locks because of wrong PINs end for those that stay, and where none of them opens a wallet that is frozen, it is
// open, and they wait anew.
const KeepKeys = "keys"

// WalletKey is a payment key as the operator sees it.
type WalletKey struct {
	ID string
	// Kind is pin, passkey or offline; Name is what its owner calls the device.
	Kind, Name string
	// Ready is from when it works; what waits in a wallet that is frozen waits anew when that is open.
	Added, Ready time.Time
	// Wrong is how many wrong PINs there were since the last right one; until Locked none is tried, zero if that is over.
	Wrong  int64
	Locked time.Time `json:",omitzero"`
	// Opens says that it opens the wallet where that is frozen: it worked already when it was, and is not locked. Where it is not, that it would if it were now.
	Opens bool
}

// Keys are the payment keys of an account that were not dropped, the oldest first. It returns xmpp.ItemNotFound for an address that cannot have a wallet.
func (s *Service) Keys(ctx context.Context, account xmpp.JID) ([]WalletKey, error) {
	if !s.ours(account) {
		return nil, xmpp.ItemNotFound.Because("there is no such account")
	}
	found, err := s.keys(ctx, account, "and k.dropped = 0")
	if err != nil {
		return nil, err
	}
	w, err := s.walletOf(ctx, account)
	if err != nil {
		return nil, err
	}
	now := s.now()
	since := w.frozen
	if since.IsZero() {
		since = now
	}
	all := make([]WalletKey, 0, len(found))
	for _, k := range found {
		one := WalletKey{ID: k.id, Kind: k.kind, Name: k.name, Added: atMicro(k.added), Ready: atMicro(k.ready), Wrong: k.wrong, Opens: k.opens(since, now)}
		if k.waits > now.UnixMicro() {
			one.Locked = atMicro(k.waits)
		}
		all = append(all, one)
	}
	return all, nil
}

// completeKeys refuses a proposal about keys that are not there.
func (s *Service) completeKeys(ctx context.Context, p *Proposal) error {
	account, err := xmpp.ParseJID(p.Account)
	switch {
	case err != nil || account.Resource() != "" || !s.ours(account):
		return xmpp.ItemNotFound.Because("there is no such account")
	case p.Amount != 0 || p.Unit != "":
		return xmpp.BadRequest.Because("keys have no amount")
	}
	if err := s.exists(ctx, account); err != nil {
		return err
	}
	all, err := s.keys(ctx, account, "and k.dropped = 0")
	if err != nil {
		return err
	}
	stay := strings.Fields(p.Of)
	slices.Sort(stay)
	stay = slices.Compact(stay)
	for _, id := range stay {
		if !slices.ContainsFunc(all, func(k *key) bool { return k.id == id }) {
			return xmpp.ItemNotFound.Because("%s has no key %.40s", account, id)
		}
	}
	p.Account, p.Of = account.String(), strings.Join(stay, " ")
	return nil
}

// keepKeys does what was proposed about the keys of an account.
func (s *Service) keepKeys(ctx context.Context, p *Proposal, account xmpp.JID) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.openProposal(ctx, p.ID); err != nil { // somebody else was faster
			return err
		}
		if err := s.completeKeys(ctx, p); err != nil { // with one fewer it would say something else
			return err
		}
		p.State = ProposalDone
		if err := s.endProposal(ctx, p); err != nil {
			return err
		}
		stay, err := s.dropOthers(ctx, account, strings.Fields(p.Of))
		if err != nil {
			return err
		}
		if err := s.audit(ctx, p.Approver, "approve-"+p.Kind, p.Account, s.proposed(p)); err != nil {
			return err
		}
		w, err := s.walletOf(ctx, account)
		if err != nil {
			return err
		}
		if !w.frozen.IsZero() {
			can, err := s.canOpen(ctx, account, w)
			if err == nil && !can {
				err = s.thaw(ctx, account)
			}
			if err != nil {
				return err
			}
		}
		return s.tellWallet(ctx, account, say("keysStay", int64(stay)))
	})
}

// dropOthers drops all keys of an account but some, which are locked no more, in the transaction of ctx. It says how many those are.
func (s *Service) dropOthers(ctx context.Context, account xmpp.JID, stay []string) (left int, err error) {
	all, err := s.keys(ctx, account, "and k.dropped = 0")
	if err != nil {
		return 0, err
	}
	for _, k := range all {
		if slices.Contains(stay, k.id) {
			k.tries, k.links = tries{}, tries{}
			left++
		} else {
			k.dropped = s.now().UnixMicro()
		}
		_, err := s.db.Exec(ctx, "update pay_key set dropped = $1, wrong = $2, waits = $3, guessed = $4 where account = $5 and id = $6", k.dropped, k.wrong, k.waits, k.guessed, account.String(), k.id)
		if err != nil {
			return 0, fmt.Errorf("keep keys: %w", err)
		}
		if err := s.keepLinks(ctx, k); err != nil {
			return 0, err
		}
	}
	return left, nil
}

// proposed is what a proposal is about, as the audit log says it.
func (s *Service) proposed(p *Proposal) string {
	if p.Kind != KeepKeys {
		return s.sum(p.Amount, p.Unit, p.Why)
	}
	stay := strings.Fields(p.Of)
	return strings.TrimSpace(strconv.Itoa(len(stay))+" stay: "+p.Of) + " (" + p.Why + ")"
}
