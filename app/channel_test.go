package app

import (
	"testing"

	"palabre.dev/palabre/store/storetest"
)

// TestOperatorsMarkChannels gives a mark from an app, and from the command line while the server runs, and takes it back while it does not.
func TestOperatorsMarkChannels(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Store = storetest.File(t)
	r := start(t, cfg)
	romeo := r.test.Login(t, "romeo/home")
	romeo.Send(`<iq type='set' id='c' to='channels.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='town'/></pubsub></iq>`)
	romeo.Until()
	if _, note := administerNode(t, romeo, "urn:palabre:channel:0#mark", "channel=town", "reason=seen from my app"); note != "town is marked" {
		t.Errorf("the administrator is told %q", note)
	}
	ask(t, r.cfg, "channel/mark", MarkArgs{Name: "town", Reason: "seen"}, &struct{}{})
	var all []Channel
	ask(t, r.cfg, "channel/list", ChannelsArgs{Max: 10}, &all)
	if len(all) != 1 || all[0].Name != "town" || all[0].Mark != "seen" || len(all[0].Owners) != 1 || all[0].Owners[0] != "romeo@localhost" {
		t.Errorf("%+v", all)
	}
	r.stop()
	ask(t, r.cfg, "channel/mark", MarkArgs{Name: "town"}, &struct{}{})
	all = nil
	ask(t, r.cfg, "channel/list", ChannelsArgs{Max: 10}, &all)
	if len(all) != 1 || all[0].Mark != "" {
		t.Errorf("%+v", all)
	}
	if err := Operate(t.Context(), r.cfg, "channel/mark", MarkArgs{Name: "nowhere", Reason: "x"}, nil, nil); err == nil {
		t.Error("a channel that is not there is marked")
	}
}
