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
  /** Emoji, and its name where that is kept; by group. */
  const groups: [key: string, emoji: [sign: string, name?: string][]][]
  export default groups
}
