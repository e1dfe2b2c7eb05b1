// The screens that are looked at: where, how wide, in which theme and language, and what is done before the picture.
const chat = (jid) => `/chat/${encodeURIComponent(jid)}`
const shop = chat('atlas@boutique.example'), family = chat('famille@rooms.palabre.example')

export const screens = [
  { name: 'list-phone', path: '/', scale: 2 },
  { name: 'list-phone-dark', path: '/?net=offline', dark: true },
  { name: 'list-phone-ar', path: '/', lang: 'ar' },
  { name: 'list-tablet', path: '/', size: [820, 1180] },
  { name: 'desk', path: shop, size: [1440, 900] },
]
