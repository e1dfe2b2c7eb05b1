// Keys of senders in large groups (docs/protocol/group-keys.md): a chunk of its own, which most people never need.

export { forgetOld } from './sender-forget.ts'
export { encryptForGroup, reflected } from './sender-send.ts'
export { adopt, Asking, hear } from './sender-receive.ts'
