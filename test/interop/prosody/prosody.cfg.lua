-- Prosody for the interop drivers: everything that they use, on loopback, in one data folder.
run_as_root = true
daemonize = false
data_path = "@DIR@/data"
pidfile = "@DIR@/prosody.pid"
plugin_paths = { "@HERE@", "/usr/lib/prosody/modules" }
log = { info = "@DIR@/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { @TCP@ }
c2s_direct_tls_ports = { @TLS@ }
http_ports = { @HTTP@ }
component_ports = { @COMPONENT@ }
https_ports = { @HTTPS@ }
http_default_host = "localhost"
http_external_url = "https://localhost:@HTTPS@/"
certificates = "@DIR@"
ssl = { certificate = "@DIR@/server.pem"; key = "@DIR@/server.key" }
https_ssl = { certificate = "@DIR@/server.pem"; key = "@DIR@/server.key" }
c2s_direct_tls_ssl = { certificate = "@DIR@/server.pem"; key = "@DIR@/server.key" }
c2s_require_encryption = true
consider_websocket_secure = true
authentication = "internal_hashed"
storage = "internal"
archive_expires_after = "never"
allow_registration = true
limits = {}
modules_disabled = { "s2s" }
modules_enabled = {
  "disco", "roster", "saslauth", "tls", "blocklist", "bookmarks", "carbons", "pep", "private", "smacks", "vcard4", "vcard_legacy",
  "csi_simple", "ping", "register", "time", "uptime", "version", "mam", "admin_adhoc", "websocket", "lastactivity", "offline",
  "interop",
}
admins = { "admin@localhost" }
VirtualHost "localhost"
Component "conference.localhost" "muc"
Component "upload.localhost" "http_file_share"
  http_host = "localhost"
  http_file_share_size_limit = 10485760
Component "parrot.localhost"
  component_secret = "pieces-of-eight"
