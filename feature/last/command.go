package last

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Node is that of the command with which an account hides when it was there last, or shows it again.
const Node = "urn:palabre:last:0#privacy"

// Commands takes commands (XEP-0050).
type Commands interface {
	AddCommand(node, name string, permit func(ctx context.Context, account *core.Account) (bool, error),
		step func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error))
}

// AddCommands adds the privacy choice for every account.
func (f *Feature) AddCommands(commands Commands) {
	anybody := func(context.Context, *core.Account) (bool, error) { return true, nil }
	commands.AddCommand(Node, "Who sees when I was last online", anybody, f.choose)
}

func (f *Feature) choose(ctx context.Context, r *core.Request, answers []*xmpp.Form) (*xmpp.Form, string, error) {
	if len(answers) == 0 {
		hidden, err := f.Hidden(ctx, r.Sender)
		if err != nil {
			return nil, "", err
		}
		shown := "1"
		if hidden {
			shown = "0"
		}
		form := xmpp.NewForm("form", Node)
		form.Title = "Who sees when I was last online"
		return form.Add("shown", "boolean", "My contacts may see it", shown), "", nil
	}
	shown, ok := xmpp.Bool(answers[0].Get("shown"))
	if !ok {
		return nil, "", xmpp.BadRequest.Because("shown is yes or no")
	}
	if err := f.Hide(ctx, r.Sender, !shown); err != nil {
		return nil, "", err
	}
	if shown {
		return nil, "Your contacts can see when you were last online.", nil
	}
	return nil, "Nobody sees when you were last online.", nil
}
