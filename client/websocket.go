package client

import (
	"context"
	"errors"

	"palabre.dev/palabre/transport"
)

func (c *Client) openWebSocket(ctx context.Context) (*transport.Stream, error) {
	return nil, errors.New("no websocket yet")
}
