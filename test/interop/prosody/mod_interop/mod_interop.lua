-- What Prosody 0.12 lacks and the drivers need: the code='404' of XEP-0086 on item-not-found, without which Profanity 0.13 never publishes its first OMEMO device list.
local filters = require "util.filters";
local function add_code(stanza)
	local err = stanza.name == "iq" and stanza.attr.type == "error" and stanza:get_child("error");
	if err and err:get_child("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas") then err.attr.code = "404"; end
	return stanza;
end
filters.add_filter_hook(function (session) filters.add_filter(session, "stanzas/out", add_code); end);
