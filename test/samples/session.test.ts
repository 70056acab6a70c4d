import { expect, it } from 'vitest'
import { engines, Peer, serve } from './support.ts'

it.concurrent.each(engines)('session: each connection has its own, on %s', async (engine) => {
  const sample = serve('session', engine)
  const url = `ws://127.0.0.1:${await sample.port()}/`
  const ada = await Peer.open(url)
  const bob = await Peer.open(url)
  expect(await ada.hear()).toBe('log in first: login NAME')
  expect(await bob.hear()).toBe('log in first: login NAME')

  ada.say('hello')
  expect(await ada.hear()).toBe('log in first: login NAME')
  ada.say('login ada')
  expect(await ada.hear()).toBe('welcome ada, this is session 1')
  bob.say('login bob')
  expect(await bob.hear()).toBe('welcome bob, this is session 2')
  ada.say('one')
  ada.say('two, 100%s')
  bob.say('one')
  expect(await ada.hear()).toBe('ada, message 1: one')
  expect(await ada.hear()).toBe('ada, message 2: two, 100%s')
  expect(await bob.hear()).toBe('bob, message 1: one')

  // A peer that has gone and one that is still there when the server stops.
  await ada.close()
  await sample.until(/^session info 1: ada left, messages: 2$/m)
  const stopped = sample.stop('SIGINT')
  expect(await bob.closed).toBe(1001)
  await stopped
  expect(sample.said).toContain('session info 2: bob left, messages: 1')
})
