"""Third-party XMPP apps that the drivers operate without a screen, and the server that they meet."""
