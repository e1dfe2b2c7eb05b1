"""Writes the settings of a first start with Gajim's own code, since its account assistant needs a person.

usage: gajim_settings.py FOLDER JID PASSWORD HOST PORT CONTACT PLUGIN
"""

import os
import shutil
import sys

import gi

gi.require_version("Gdk", "3.0")

from gajim.common import app, configpaths  # noqa: E402 (needs the version)

folder, jid, password, host, port, contact, guest = sys.argv[1:]
configpaths.set_config_root(folder)
configpaths.init()
configpaths.create_paths()

from gajim.common.settings import Settings  # noqa: E402 (needs the paths)

app.settings = Settings()
app.settings.init()
for name, value in {"remote_control": True, "use_keyring": False, "check_for_update": False}.items():
    app.settings.set_app_setting(name, value)
for plugin in "omemo", "gajim_guest":
    app.settings.set_plugin_setting(plugin, "active", True)
os.makedirs(configpaths.get("PLUGINS_USER"), exist_ok=True)
shutil.copytree(guest, os.path.join(configpaths.get("PLUGINS_USER"), "gajim_guest"))
app.settings.add_account("app")
name, domain = jid.split("@")
for setting, value in {
    "name": name, "hostname": domain, "resource": "gajim", "password": password, "account_label": "app", "active": True,
    "autoconnect": True, "autoauth": True, "use_custom_host": True, "custom_host": host, "custom_port": int(port),
    "custom_type": "START TLS",
}.items():
    app.settings.set_account_setting("app", setting, value)
app.settings.set_contact_setting("app", contact, "encryption", "OMEMO")
app.settings.shutdown()
