// Chats and messages to look at: the people of the mock-ups.
import type { Chat, Contact, Content, Message, State } from '../../src/core/model.ts'
import { demoGroup } from './groups.ts'

export const me = 'nadia@palabre.example'
const minute = 60_000_000
const begin = new Date()
begin.setHours(11, 42, 0, 0)
/** at is a time so many minutes before 11:42 today. */
export const at = (minutesAgo: number): number => begin.getTime() * 1000 - minutesAgo * minute

const person = (name: string): string => `${name}@palabre.example`

export const contacts: Contact[] = [
  ['aicha', 'Aïcha Diallo', 'online'], ['youssef', 'Youssef Oubella', 'offline'], ['fatou', 'Fatou Ndiaye', 'online'], ['joao', 'João Silva', 'away'],
  ['karim', 'Karim', 'online'], ['rosa', 'Rosa', 'offline'], ['amina', 'Amina Benali', 'online'], ['priya', 'प्रिया शर्मा', 'online'], ['aisha', 'عائشة ديالو', 'offline'],
].map(([id, name, show]) => ({ jid: person(id ?? ''), name: name ?? '', subscription: 'both', presence: { show: show as 'online' }, lastSeen: at(25) }))

let count = 0
/** message makes one of a chat. */
export function message(chat: string, minutesAgo: number, from: string, content: Content | string, more: Partial<Message> = {}): Message {
  const own = from === me
  const time = at(minutesAgo)
  return { id: `m${++count}`, stanzaId: `s${count}`, chat, order: time + count, time, from, own, content: typeof content === 'string' ? { type: 'text', text: content } : content, protection: 'omemo',
    ...(own ? { state: 'read' as State } : {}), ...more }
}

const wave = [3, 5, 12, 10, 11, 6, 3, 7, 9, 11, 12, 6, 4, 9, 12, 7, 10, 5, 6, 7, 9, 9, 9, 3, 8, 9, 9, 11, 5, 4, 7, 10, 12, 9, 6, 4, 7, 8, 5, 3]
const voice = (seconds: number, size: number): Content => ({ type: 'voice', media: { key: `v${seconds}`, name: 'voice.m4a', mime: 'audio/mp4', size, seconds, waveform: wave } })
const picture = (key: string, size: number, caption?: string): Content => ({ type: 'image', media: { key, name: 'photo.webp', mime: 'image/webp', size, width: 1280, height: 960, thumbhash: '1QcSHQRnh493V4dIh4eXh1h4kJUI' }, ...(caption ? { caption } : {}) })

interface Seed { chat: Omit<Chat, 'time' | 'unread' | 'protection'> & Partial<Chat>; messages: Message[] }
const karim = person('karim'), amina = person('amina'), rosa = person('rosa')

/** seeds are the chats of the mock-ups, with what stands in them. */
export function seeds(): Seed[] {
  const shop = 'atlas@boutique.example', council = 'conseil@groups.palabre.example', news = 'mairie@groups.palabre.example', over = 'voyage@groups.palabre.example', invited = 'chorale@groups.palabre.example', slow = 'voisins@groups.palabre.example', family = 'famille@rooms.palabre.example', parents = 'ce2@rooms.palabre.example'
  const aicha = person('aicha'), youssef = person('youssef'), fatou = person('fatou'), joao = person('joao')
  return [
    { chat: { jid: shop, kind: 'business', name: 'Poissonnerie Atlas', pinned: at(0), favourite: true }, messages: [
      message(shop, 1500, shop, 'Votre commande de la semaine dernière vous a plu ?'),
      message(shop, 11, shop, 'Salam Nadia ! La pêche du matin est arrivée, sardines à 20 DH. Je vous mets combien ?', { reactions: { '🐟': [me] } }),
      message(shop, 9, me, voice(9, 11_000)),
      message(shop, 8, me, '5 kilos, et un kilo de citrons s’il vous plaît'),
      message(shop, 7, shop, { type: 'location', latitude: 31.6346, longitude: -8.0083, label: 'Livraison Guéliz, 17 h – 18 h' }),
      message(shop, 6, shop, { type: 'text', text: 'Le catalogue du jour : https://boutique.example/atlas', preview: { url: 'https://boutique.example/atlas', title: 'Poissonnerie Atlas — la pêche du jour', description: 'Sardines, daurades et citrons beldi, livrés à Marrakech avant 18 h.' } }),
      message(shop, 0, me, 'Merci, à tout à l’heure 🙏', { state: 'waiting' }),
    ] },
    { chat: { jid: family, kind: 'group', name: 'Famille Benali 🌿', unread: 4, mentioned: true, group: demoGroup(9, { affiliation: 'admin', description: 'Les nouvelles de la famille, les photos et les dimanches.' }) }, messages: [
      message(family, 3010, family, { type: 'system', key: 'group-made', by: amina, values: { by: 'Amina Benali' } }),
      message(family, 3009, family, { type: 'system', key: 'group-added', by: amina, who: [me, karim, rosa], values: { by: 'Amina Benali', who: 'Nadia, Karim, Rosa', more: '' } }),
      message(family, 3008, family, { type: 'system', key: 'group-added', by: me, who: [fatou, joao, aicha], values: { by: 'Nadia', who: 'Fatou Ndiaye, João Silva, Aïcha Diallo', more: '3' } }),
      message(family, 3007, family, { type: 'system', key: 'group-keyless', who: [rosa], values: { who: 'Rosa' } }),
      message(family, 2990, karim, 'On se voit dimanche chez Omar ?'),
      message(family, 2980, amina, 'Oui ! *Tous* ensemble, _pour une fois_ 🎉', { reactions: { '❤️': [me, karim, rosa], '🎉': [karim] } }),
      message(family, 300, karim, { type: 'poll', question: 'On part quand ?', options: ['Samedi 8 h', 'Dimanche 10 h'], many: false, votes: { [me]: [0], [karim]: [0], [amina]: [0], [rosa]: [1], [fatou]: [0], [joao]: [1], [aicha]: [0] } }),
      message(family, 260, me, 'Samedi, c’est mieux pour les enfants', { reply: { id: 'm0', to: karim, text: 'On part quand ?' }, edited: at(250) }),
      message(family, 258, rosa, picture('plage', 81_000, 'La plage ce matin')),
      message(family, 120, karim, 'x', { retracted: { by: karim, time: at(119) } }),
      message(family, 60, amina, { type: 'file', media: { key: 'pdf', name: 'Menu Chez Omar.pdf', mime: 'application/pdf', size: 412_000 } }),
      message(family, 20, amina, '@Nadia tu réserves ?', { mentions: [{ from: 0, to: 6, jid: me }] }),
      message(family, 12, karim, voice(24, 50_000)),
      message(family, 6, karim, 'Voici l’adresse :\n```\nChez Omar\n12, rue du Port\n```\n> à côté du phare'),
      message(family, 4, karim, 'on partage l’addition ?'),
    ] },
    { chat: { jid: aicha, kind: 'person', name: 'Aïcha Diallo', unread: 2 }, messages: [
      message(aicha, 5000, aicha, { type: 'system', key: 'new-device', values: { name: 'Aïcha' } }),
      message(aicha, 200, me, 'Tu as reçu le colis ?'),
      message(aicha, 30, aicha, 'Pas encore, je te dis ce soir', { forwarded: 0 }),
      message(aicha, 24, aicha, { type: 'undecryptable', reason: 'no-key' }),
      message(aicha, 22, aicha, voice(24, 50_000)),
    ] },
    { chat: { jid: youssef, kind: 'person', name: 'Youssef Oubella' }, messages: [
      message(youssef, 50, youssef, '8 h devant la gare ?'), message(youssef, 46, me, 'Je prends les billets', { state: 'failed', failure: 'no-devices' }),
      message(youssef, 45, me, 'Parfait, à demain 8 h devant la gare', { edited: at(44), untold: { what: 'edit', failure: 'no-devices', undo: true } }) ] },
    { chat: { jid: fatou, kind: 'person', name: 'Fatou Ndiaye', draft: { text: 'je te rappelle dès que je sors', time: at(114) } }, messages: [message(fatou, 130, fatou, 'Appelle-moi quand tu peux')] },
    { chat: { jid: parents, kind: 'group', name: 'Parents d’élèves · CE2', unread: 31, muted: Infinity, group: demoGroup(200, {}, { writes: 'admins' }) }, messages: [message(parents, 150, rosa, picture('sortie', 120_000, 'Photo de la sortie'), { forwarded: 6 })] },
    { chat: { jid: council, kind: 'group', name: 'Comité d’entreprise', group: demoGroup(1024, { affiliation: 'owner' }) }, messages: [message(council, 1350, fatou, 'Le compte rendu est en ligne', { author: 'Fatou N.' })] },
    { chat: { jid: news, kind: 'group', name: 'Avis de la mairie', protection: 'none', group: demoGroup(640, {}, { writes: 'admins', private: false, listed: true }) }, messages: [message(news, 1360, person('mairie'), 'Coupure d’eau jeudi de 9 h à 12 h.', { author: 'Mairie de Marrakech', protection: 'none' })] },
    { chat: { jid: slow, kind: 'group', name: 'Voisins', group: demoGroup(58, { nextAt: Date.now() * 1000 + 95_000_000 }, { slow: 300 }) }, messages: [message(slow, 1365, rosa, 'Qui a une échelle ?'), message(slow, 1364, karim, 'Publicité', { retracted: { by: amina, time: at(1363), reason: 'pas de publicité ici' } })] },
    { chat: { jid: over, kind: 'group', name: 'Voyage à Fès', group: demoGroup(5, { affiliation: 'none', ended: { how: 'removed', by: rosa, reason: 'le voyage est fini' } }) }, messages: [message(over, 1370, rosa, 'Merci à tous !')] },
    { chat: { jid: invited, kind: 'group', name: 'Chorale du jeudi', request: true, group: demoGroup(23, { invited: { by: person('lalla'), reason: 'On chante ensemble, viens !' } }) }, messages: [message(invited, 1380, person('lalla'), 'Bienvenue !', { author: 'Lalla Zineb' })] },
    { chat: { jid: joao, kind: 'person', name: 'João Silva' }, messages: [message(joao, 1400, me, picture('lisboa', 240_000), { state: 'delivered' })] },
    { chat: { jid: person('priya'), kind: 'person', name: 'प्रिया शर्मा', protection: 'none' }, messages: [message(person('priya'), 1700, person('priya'), 'नमस्ते! कल मिलते हैं')] },
    { chat: { jid: person('aisha'), kind: 'person', name: 'عائشة ديالو' }, messages: [message(person('aisha'), 3100, person('aisha'), 'هل السردين طازج اليوم؟'), message(person('aisha'), 3090, me, 'نعم، وصل هذا الصباح')] },
    { chat: { jid: me, kind: 'self', name: 'Nadia' }, messages: [message(me, 9000, me, 'Code du portail : 4512')] },
    { chat: { jid: person('mairie'), kind: 'business', name: 'Mairie de Marrakech', archived: true }, messages: [message(person('mairie'), 20000, person('mairie'), 'Votre dossier est prêt.')] },
  ]
}
