"""Tests of the service for channels with slixmpp as the client, which knows publish-subscribe (XEP-0060) and nothing of ours."""
