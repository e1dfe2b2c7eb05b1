"""A plugin for Gajim: what a person does when they are invited to a group, that is to press the button of the invitation, and to choose OMEMO."""

from gajim import plugins  # Gajim takes the first plugin that it finds by name here: its own class is not to be among them
from gajim.common import app, ged


class Guest(plugins.GajimPlugin):
    """Gajim makes one when it starts, and calls what events_handlers names."""

    def init(self):
        self.config_dialog = None
        self.events_handlers = {"muc-invitation": (ged.GUI2, self.come)}

    def come(self, invitation):
        room = str(invitation.muc)
        contacts = app.get_client(invitation.account).get_module("Contacts")
        contacts.add_contact(room, groupchat=True).settings.set("encryption", "OMEMO")
        app.window.show_add_join_groupchat(invitation.account, room)
