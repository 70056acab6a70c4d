import { handshake, RawClient } from './raw.ts'

/** An answer as it came. */
export interface Answered {
  readonly status: number
  /** By their names in lower case; of repeated ones the last. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Takes an answer with its body, as long as it says that it is; else up to the end. */
export async function takeAnswer(client: RawClient, hasBody = true): Promise<Answered> {
  const { status, head } = await client.response()
  const headers = new Map(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
      }),
  )
  const told = headers.get('content-length')
  const endless = told === undefined && status !== 101
  if (endless) await client.until(() => client.ended)
  const length = endless ? client.length : hasBody && status !== 101 ? Number(told) : 0
  await client.until(() => client.length >= length)
  const body = client.received.toString('utf8', 0, length)
  client.received = client.received.subarray(length)
  return { status, headers, body }
}

/** What an opening handshake gets, byte by byte as it is sent; the connection is dropped then. */
export async function knock(
  port: number,
  target: string,
  changes: Record<string, string | null> = {},
  first?: string,
): Promise<Answered> {
  const client = await RawClient.connect(port)
  client.send(handshake(target, changes, first))
  const answered = await takeAnswer(client)
  client.destroy()
  return answered
}
