/// <reference types="vite/client" />

declare module 'icon:*' {
  const path: string
  export default path
}

declare module 'virtual:emoji-words/*' {
  const words: string[]
  export default words
}

declare module 'virtual:emoji/*' {
  /** Emoji, its name, and further words to find it by; by group. */
  const groups: [key: string, emoji: [sign: string, name: string][]][]
  export default groups
}
