// How long a status stands.
const leastSeconds = 5
const mostSeconds = 14
const charactersPerSecond = 16

/** readingTime is for how long words stand, in seconds. */
export const readingTime = (text: string): number => Math.min(mostSeconds, leastSeconds + text.length / charactersPerSecond)
