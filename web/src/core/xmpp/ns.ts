// The namespaces of what the client speaks, each with where it is defined.

/** Stanzas of a client (RFC 6120). */
export const CLIENT = 'jabber:client'
/** Opening and closing over WebSocket (RFC 7395). */
export const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'
/** Features and errors of the stream (RFC 6120 §4). */
export const STREAM = 'http://etherx.jabber.org/streams'
/** Conditions of stream errors (RFC 6120 §4.9). */
export const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
/** Conditions of stanza errors (RFC 6120 §8.3). */
export const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
/** Extensible SASL Profile (XEP-0388). */
export const SASL2 = 'urn:xmpp:sasl:2'
/** Bind 2 (XEP-0386). */
export const BIND2 = 'urn:xmpp:bind:0'
/** FAST tokens (XEP-0484). */
export const FAST = 'urn:xmpp:fast:0'
/** Stream management (XEP-0198). */
export const SM = 'urn:xmpp:sm:3'
/** Client state indication (XEP-0352). */
export const CSI = 'urn:xmpp:csi:0'
/** Carbons (XEP-0280). */
export const CARBONS = 'urn:xmpp:carbons:2'
/** Forwarded stanzas (XEP-0297). */
export const FORWARD = 'urn:xmpp:forward:0'
/** Delayed delivery (XEP-0203). */
export const DELAY = 'urn:xmpp:delay'
/** Message archive (XEP-0313). */
export const MAM = 'urn:xmpp:mam:2'
/** Result sets (XEP-0059). */
export const RSM = 'http://jabber.org/protocol/rsm'
/** Data forms (XEP-0004). */
export const FORM = 'jabber:x:data'
/** Roster (RFC 6121 §2). */
export const ROSTER = 'jabber:iq:roster'
/** In-band registration, passwords, removal (XEP-0077). */
export const REGISTER = 'jabber:iq:register'
/** Stories: the node of an account's statuses (XEP-0501). */
export const STORIES = 'urn:xmpp:pubsub-social-feed:stories:0'
/** Pre-authenticated requests (XEP-0379, XEP-0445). */
export const PREAUTH = 'urn:xmpp:pars:0'
/** Publish-subscribe (XEP-0060). */
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
/** Service discovery (XEP-0030). */
export const DISCO = 'http://jabber.org/protocol/disco#info'
/** Items of service discovery (XEP-0030). */
export const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items'
/** Entity capabilities (XEP-0115). */
export const CAPS = 'http://jabber.org/protocol/caps'
/** Ad-hoc commands (XEP-0050). */
export const COMMANDS = 'http://jabber.org/protocol/commands'
/** Ping (XEP-0199). */
export const PING = 'urn:xmpp:ping'
/** Delivery receipts (XEP-0184). */
export const RECEIPTS = 'urn:xmpp:receipts'
/** Displayed markers (XEP-0333). */
export const MARKERS = 'urn:xmpp:chat-markers:0'
/** Chat states (XEP-0085). */
export const STATES = 'http://jabber.org/protocol/chatstates'
/** What was displayed, told to one's other devices (XEP-0490). */
export const DISPLAYED = 'urn:xmpp:mds:displayed:0'
/** Corrections (XEP-0308). */
export const CORRECT = 'urn:xmpp:message-correct:0'
/** Retractions (XEP-0424). */
export const RETRACT = 'urn:xmpp:message-retract:1'
/** Reactions (XEP-0444). */
export const REACTIONS = 'urn:xmpp:reactions:0'
/** Replies (XEP-0461). */
export const REPLY = 'urn:xmpp:reply:0'
/** Which part of a body is only for apps that know no better (XEP-0428). */
export const FALLBACK = 'urn:xmpp:fallback:0'
/** References, as mentions (XEP-0372). */
export const REFERENCE = 'urn:xmpp:reference:0'
/** Hints on how to handle a message (XEP-0334). */
export const HINTS = 'urn:xmpp:hints'
/** Unique and stable ids (XEP-0359). */
export const IDS = 'urn:xmpp:sid:0'
/** Which encryption a message uses (XEP-0380). */
export const EME = 'urn:xmpp:eme:0'
/** Messages that disappear (XEP-0466). */
export const EPHEMERAL = 'urn:xmpp:ephemeral:0'
/** Stickers (XEP-0449). */
export const STICKERS = 'urn:xmpp:stickers:0'
/** Places (XEP-0080). */
export const GEOLOC = 'http://jabber.org/protocol/geoloc'
/** A file's address beside its message (XEP-0066). */
export const OOB = 'jabber:x:oob'
/** OMEMO 0.3 (XEP-0384 0.3.0). */
export const OMEMO1 = 'eu.siacs.conversations.axolotl'
/** One key for all in a large group (docs/protocol/group-keys.md), and the node in which devices say that they know it. */
export const SENDER_KEYS = 'urn:palabre:sender-keys:0'
/** OMEMO 2 (XEP-0384 0.8 and later). */
export const OMEMO2 = 'urn:xmpp:omemo:2'
/** Pictures of people (XEP-0084). */
export const AVATAR_DATA = 'urn:xmpp:avatar:data'
/** What there is to know of a picture (XEP-0084). */
export const AVATAR = 'urn:xmpp:avatar:metadata'
/** Nicknames (XEP-0172). */
export const NICK = 'http://jabber.org/protocol/nick'
/** vCard 4 (XEP-0292). */
export const VCARD4 = 'urn:ietf:params:xml:ns:vcard-4.0'
/** Bookmarks (XEP-0402). */
export const BOOKMARKS = 'urn:xmpp:bookmarks:1'
/** Pinned bookmarks (XEP-0469). */
export const BOOKMARK_PINNING = 'urn:xmpp:bookmarks-pinning:0'
/** Which messages of a chat are told of (XEP-0492). */
export const NOTIFICATIONS = 'urn:xmpp:notification-settings:1'
/** What a person decided about chats (docs/protocol/chat-settings.md). */
export const CHATS = 'urn:palabre:chats:0'
/** Blocking (XEP-0191). */
export const BLOCKING = 'urn:xmpp:blocking'
/** Reports of abuse (XEP-0377). */
export const REPORTING = 'urn:xmpp:reporting:1'
/** Uploads (XEP-0363). */
export const UPLOAD = 'urn:xmpp:http:upload:0'
/** Requests of administrators (docs/protocol/admin.md). */
export const ADMIN = 'urn:palabre:admin:0'
/** Web Push (docs/protocol/web-push.md). */
export const WEB_PUSH = 'urn:palabre:web-push:0'
/** Cards of links, made by the server (docs/protocol/link-card.md). */
export const LINK_CARD = 'urn:palabre:link-card:0'
/** Which apps have access (XEP-0494). */
export const ACCESS = 'urn:xmpp:cam:0'
/** Groups of Palabre (docs/protocol/groups.md). */
export const GROUP = 'urn:palabre:group:0'
/** Channels of Palabre (docs/protocol/channels.md). */
export const CHANNEL = 'urn:palabre:channel:0'
/** Rooms (XEP-0045), and its parts. */
export const MUC = 'http://jabber.org/protocol/muc'
/** What a room tells of who is in it. */
export const MUC_USER = MUC + '#user'
/** What administrators of rooms ask. */
export const MUC_ADMIN = MUC + '#admin'
/** What owners of rooms ask. */
export const MUC_OWNER = MUC + '#owner'
/** Invitations to rooms, sent by who invites (XEP-0249). */
export const CONFERENCE = 'jabber:x:conference'
/** Ids of people in rooms (XEP-0421). */
export const OCCUPANT = 'urn:xmpp:occupant-id:0'
/** Messages that moderators take away (XEP-0425). */
export const MODERATE = 'urn:xmpp:message-moderate:1'
