import { describe, expect, it } from 'vitest'
import { Gateway } from '../support/gateway.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('what a client can make the engine keep, on %s', (engine) => {
  it('a message that only begins is not waited for beyond the limit, whatever other routes take', async () => {
    const gateway = await Gateway.start(engine, {}, undefined, {
      limits: { maxMessage: '64MB' },
      routes: [
        { match: '/ws', handler: 'gateway' },
        { match: '/', handler: 'action' },
      ],
    })
    const ada = await gateway.person('ada')
    const client = await RawClient.open(gateway.port, `/ws?token=${ada.token}`)
    // A masked text of 50 MB, and the first of it.
    const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0])
    client.send(Buffer.concat([header, Buffer.alloc(200_000, 'x')]))
    await client.until(() => client.ended)
  })

  it('the path spelled in another way is another path', async () => {
    const gateway = await Gateway.start(engine)
    const { token } = await gateway.person('ada')
    for (const path of ['/%77s', '/./ws', '//ws']) {
      await expect(RawClient.open(gateway.port, `${path}?token=${token}`)).rejects.toThrow('404')
    }
  })
})
