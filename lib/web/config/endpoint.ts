import { toAddress } from '../address.ts'

/** Where a listener is bound, as a config says it. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly secure: boolean
}

/** `[http://|https://][host][:port]`: no host is all of them, no port 80 or 443. Throws what is wrong. */
export function parseEndpoint(given: string): Address {
  const text = given.trim()
  if (/^\d+$/.test(text)) {
    throw new Error(`is only a port: say 127.0.0.1:${text}, or :${text} for all addresses`)
  }
  const match = /^(?:(https?):\/\/)?(\[[\da-f:.]+\]|[^:/[\]]*)(?::(\d+))?\/?$/i.exec(text)
  const secure = match?.[1]?.toLowerCase() === 'https'
  const port = Number(match?.[3] ?? (secure ? 443 : 80))
  if (match === null || port > 65_535) throw new Error('is not [http://|https://][host][:port]')
  return { host: (match[2] ?? '').replace(/^\[|\]$/g, '') || '::', port, secure }
}

/** Whether only this machine can reach a listener. */
export function isLoopback(host: string): boolean {
  const address = toAddress(host)
  return address === null ? host.toLowerCase() === 'localhost' : address === '::1' || address.startsWith('127.')
}
