package pubsub

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Item is the payload of an item of an account, or of the last one if id is empty; nil if it is not there.
func (f *Feature) Item(ctx context.Context, account *core.Account, nodeName, id string) (*xmpp.Element, error) {
	n, err := f.find(ctx, account, nodeName)
	if n == nil || err != nil {
		return nil, err
	}
	i, err := f.item(ctx, n, id)
	if i == nil || err != nil {
		return nil, err
	}
	return parsePayload(i.payload)
}

// Items calls each for all items of a node, oldest first; for none if the node does not exist.
func (f *Feature) Items(ctx context.Context, account *core.Account, nodeName string, each func(id string, payload *xmpp.Element) error) error {
	n, err := f.find(ctx, account, nodeName)
	if n == nil || err != nil {
		return err
	}
	for after := n.oldest(); ; {
		found, err := f.read(ctx, readItems+" limit $4", n.id, after, int64(1<<63-1), int64(readChunk))
		if err != nil {
			return err
		}
		for _, i := range found {
			payload, err := parsePayload(i.payload)
			if err != nil {
				return err
			}
			if err := each(i.name, payload); err != nil {
				return err
			}
			after = i.id
		}
		if len(found) < readChunk {
			return nil
		}
	}
}
