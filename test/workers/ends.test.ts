import { describe, expect, it } from 'vitest'
import { dismissed } from '../support/hosted.ts'
import { RawServer } from '../support/raw-server.ts'
import { engines } from '../support/server.ts'
import { Service } from '../support/service.ts'
import { folder, leave, news, openAtAll } from './support.ts'

const configure = (name: string, web: object): string =>
  folder.write(name, { web: { listen: '127.0.0.1:0', routes: [news('/')], workers: 2, ...web } })

describe.each(engines)('workers on the %s engine', (engine) => {
  it('end by themselves when the primary is killed: 1001 to all', async () => {
    const server = new Service([configure(`killed-${engine}.json5`, { engine })])
    const readers = await openAtAll(await server.port(), 2, 2)
    server.child.kill('SIGKILL')
    expect(new Set(await Promise.all(readers.map(({ client }) => dismissed(client))))).toEqual(new Set([1001]))
    // Nobody holds its streams.
    expect(await server.exit).toBe('SIGKILL')
  })

  // Was wrong: the second signal ends the primary only; its workers go on with their farewell as if it had died.
  it('end at once with the second signal', async () => {
    const server = new Service([configure(`twice-${engine}.json5`, { engine, limits: { drainRate: 4 } })])
    const readers = await openAtAll(await server.port(), 2, 6)
    server.child.kill('SIGTERM')
    await server.until(/^stopping 2 workers$/m)
    const again = setInterval(() => server.child.kill('SIGTERM'), 50)
    await new Promise((resolve) => server.child.once('exit', resolve))
    clearInterval(again)
    expect(server.child.exitCode).toBe(1)
    await Promise.all(readers.map(({ client }) => client.until(() => client.ended || client.length > 0)))
    // In 300 ms no more than these were told.
    expect(readers.filter(({ client }) => client.length > 0).length).toBeLessThan(8)
    leave(readers)
  })
})

describe('workers that cannot start', () => {
  it('a port in use is one sentence and exit 1', async () => {
    const { port } = await RawServer.listen()
    const server = new Service([configure('taken.json5', { listen: `127.0.0.1:${port}` })])
    expect(await server.exit).toBe(1)
    expect(server.said).toBe(
      `Port ${port} is in use: stop what listens there, or choose another with --listen or in the config\n`,
    )
  })

  // Was wrong: who ends first is told of in the log, and started again, while the other still says why.
  it('a module that throws is one sentence and exit 1', async () => {
    folder.write('throws.ts', "throw new Error('at the top')")
    const routes = [{ match: '/', handler: 'action', module: './throws.ts' }]
    const server = new Service([configure('throws.json5', { routes })])
    expect(await server.exit).toBe(1)
    expect(server.said).toBe(`${folder.file('throws.ts')}: at the top\n`)
  })
})
