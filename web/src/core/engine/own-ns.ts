// The namespaces of what has no standard yet; docs/protocol/web-messages.md says what they hold. An app that does not know them shows the body.

/** The encrypted history (docs/protocol/encrypted-history.md). */
export const HISTORY = 'urn:palabre:history:0'
/** Polls and votes. */
export const POLL = 'urn:palabre:poll:0'
/** Events and answers. */
export const EVENT = 'urn:palabre:event:0'
/** Nobody needs to be woken for it (docs/protocol/polls-and-events.md). */
export const QUIET = 'urn:palabre:quiet:0'
/** Statuses: what somebody tells for a day (docs/protocol/status.md). */
export const STATUS = 'urn:palabre:status:0'
/** A message is pinned in its chat, for both sides. */
export const PIN = 'urn:palabre:pin:0'
/** A voice message was listened to. */
export const PLAYED = 'urn:palabre:played:0'
/** What can be opened once, and that it was. */
export const ONCE = 'urn:palabre:view-once:0'
/** Beside the chat state composing (XEP-0085): a voice message is being recorded. */
export const RECORDING = 'urn:palabre:recording:0'
/** A place is followed for a while: beside the place (XEP-0080), until when. */
export const LIVE = 'urn:palabre:live:0'
/** How often a message was passed on. */
export const FORWARDED = 'urn:palabre:forwarded:0'
/** What a voice message or picture looks like before it is loaded: attributes of the metadata of XEP-0446. */
export const LOOKS = 'urn:palabre:looks:0'
/** Files shared with their metadata (XEP-0447, XEP-0446). */
export const SFS = 'urn:xmpp:sfs:0'
/** Metadata of files (XEP-0446). */
export const FILE = 'urn:xmpp:file:metadata:0'
/** Hashes of files (XEP-0300). */
export const HASHES = 'urn:xmpp:hashes:2'
/** Small pictures of files (XEP-0264). */
export const THUMBS = 'urn:xmpp:thumbs:1'
/** Where a file is (XEP-0103 by way of XEP-0447). */
export const URL_DATA = 'http://jabber.org/protocol/url-data'
/** Descriptions of links (XEP-0511). */
export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
/** The words that describe them. */
export const OPEN_GRAPH = 'https://ogp.me/ns#'
/** Payments (docs/protocol/payments.md). */
export const PAY = 'urn:palabre:pay:0'
