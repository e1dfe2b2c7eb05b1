-- Two things that Prosody 0.12 lacks and the drivers need.
-- The code='404' of XEP-0086 on item-not-found, without which Profanity 0.13 never publishes its first OMEMO device list.
local filters = require "util.filters";
local function add_code(stanza)
	local err = stanza.name == "iq" and stanza.attr.type == "error" and stanza:get_child("error");
	if err and err:get_child("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas") then err.attr.code = "404"; end
	return stanza;
end
filters.add_filter_hook(function (session) filters.add_filter(session, "stanzas/out", add_code); end);

-- conn:ssl_info() and event.stream, which mod_sasl2 and its companions expect of a later version.
module:hook("stream-features", function (event)
	event.stream = event.stream or { from = event.origin.username and event.origin.username .. "@" .. event.origin.host };
	local conn = event.origin.conn;
	if conn and not conn.ssl_info then
		function conn:ssl_info() local socket = self:socket(); return socket.info and socket:info(); end
	end
end, 1000);
