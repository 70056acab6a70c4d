/** A URL as it may be shown. */
export function withoutSecrets(text: string): string {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  url.search = ''
  return url.href
}
