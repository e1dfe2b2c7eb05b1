package demo

import "context"

func (s *scene) fund(ctx context.Context) error { return nil }
func (s *scene) pay(ctx context.Context) error  { return nil }
