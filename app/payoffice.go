package app

import (
	"context"
	"errors"
	"strings"

	"palabre.dev/palabre/payments/pay"
)

// shell is the name of whoever uses the command line, in the books: one pair of eyes, whoever it is.
const shell = "command line"

// atShell is who proposes or approves from the command line. Payments that run alone know no administrators: there it is who says so, one name for each pair of eyes.
func (a *App) atShell(as string) string {
	if as = strings.Join(strings.Fields(as), " "); a.server == nil && as != "" { // one line of what the book keeps
		return shell + " (" + as + ")"
	}
	return shell
}

// ProposalArgs are a proposal of the command line, or the number of one.
type ProposalArgs struct {
	ID      int64  `json:"id,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Account string `json:"account,omitempty"`
	Unit    string `json:"unit,omitempty"`
	Amount  int64  `json:"amount,omitempty"`
	Of      string `json:"of,omitempty"`
	Why     string `json:"why,omitempty"`
	// As is the name of the person at the command line, where payments run alone.
	As string `json:"as,omitempty"`
	// Decided asks for those that were decided on.
	Decided bool `json:"decided,omitempty"`
}

// Proposal is what one administrator proposes and another one approves, with its amount, or the keys that stay, as people read it.
type Proposal struct {
	pay.Proposal
	Text string `json:"text"`
}

func init() {
	for name, do := range map[string]func(ctx context.Context, a *App, args ProposalArgs) ([]pay.Proposal, error){
		"pay/proposals": func(ctx context.Context, a *App, args ProposalArgs) ([]pay.Proposal, error) {
			return a.pay.Proposals(ctx, !args.Decided, 0, pay.MaxOffice)
		},
		"pay/propose": oneProposal(func(ctx context.Context, a *App, args ProposalArgs) (pay.Proposal, error) {
			return a.pay.Propose(ctx, a.atShell(args.As), pay.Proposal{Kind: args.Kind, Account: args.Account, Unit: args.Unit, Amount: args.Amount, Of: args.Of, Why: args.Why})
		}),
		"pay/approve": oneProposal(func(ctx context.Context, a *App, args ProposalArgs) (pay.Proposal, error) {
			return a.pay.Approve(ctx, a.atShell(args.As), args.ID)
		}),
		"pay/decline": oneProposal(func(ctx context.Context, a *App, args ProposalArgs) (pay.Proposal, error) {
			return a.pay.Decline(ctx, a.atShell(args.As), args.ID)
		}),
	} {
		operations[name] = onPay(func(ctx context.Context, a *App, args ProposalArgs) ([]Proposal, error) {
			found, err := do(ctx, a, args)
			all := make([]Proposal, len(found))
			for i, p := range found {
				all[i] = Proposal{p, a.proposed(p)}
			}
			return all, err
		})
	}
}

// proposed is what a proposal is about: how much, or which keys stay.
func (a *App) proposed(p pay.Proposal) string {
	if p.Kind != pay.KeepKeys {
		return a.pay.Amount(p.Amount, p.Unit)
	}
	if p.Of == "" {
		return "none stays"
	}
	return p.Of + " stay"
}

// onPay makes an operation of what is done where there are payments.
func onPay[A, R any](do func(ctx context.Context, a *App, args A) (R, error)) operation {
	return plainly(func(ctx context.Context, a *App, args A) (none R, err error) {
		if a.pay == nil {
			return none, errors.New("payments are off: name a unit in [pay]")
		}
		return do(ctx, a, args)
	})
}

func oneProposal(do func(ctx context.Context, a *App, args ProposalArgs) (pay.Proposal, error)) func(ctx context.Context, a *App, args ProposalArgs) ([]pay.Proposal, error) {
	return func(ctx context.Context, a *App, args ProposalArgs) ([]pay.Proposal, error) {
		p, err := do(ctx, a, args)
		return []pay.Proposal{p}, err
	}
}
