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
  /** Emoji by group, with | between them and their names behind a space. */
  const groups: [key: string, emoji: string][]
  export default groups
}
