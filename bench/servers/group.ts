/** The group that bots are asked for: who is in it has the numbers from there on. */
export const GROUP = 10_001
export const FIRST_MEMBER = 10_001
export const MEMBERS = 1000
