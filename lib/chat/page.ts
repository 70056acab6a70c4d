/** Which part of a list is asked for: what is older than `before`, or newer than `after`, or the newest. */
export interface Page {
  readonly before: string | null
  readonly after: string | null
  readonly limit: number
}

export const FIRST_PAGE: Page = { before: null, after: null, limit: 50 }
