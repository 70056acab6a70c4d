import { expect } from 'vitest'
import type { Action, Does } from '../../../lib/onebot/actions/action.ts'
import { dataOf, field, type Person, readyOf } from '../../support/gateway.ts'
import type { BotClient } from '../../support/onebot.ts'
import { type Json, Scene, type SceneOptions } from '../../support/onebot-scene.ts'

/*
 * How one action is walked. Robo is asked for it; whether that was more than an answer is seen by somebody else, before and
 * after: what they see then, they have not seen before.
 */

/** Everybody but robo. */
export type Others = Omit<Scene, 'robo' | 'self' | 'told' | 'both' | 'forget' | 'why'>
/** Robo elsewhere: another client of it, its own session on the gateway, its folder on the disk. */
export type Itself = Pick<Scene, 'self' | 'bots'>

export interface Row {
  readonly does: Does
  readonly walk: (action: Action) => Promise<void>
}

interface Written<Who> {
  readonly params: object
  readonly seen: (who: Who) => Promise<unknown>
  /** What is seen then, at least. */
  readonly shows: (answer: unknown) => unknown
}

interface Read {
  readonly params: object
  readonly change: (others: Others) => Promise<unknown>
  /** What is answered then, at least. */
  readonly shows: unknown
}

/** All that comes for an answer: one, or the frames of a stream. What is not done answers why. */
async function ask(client: BotClient, { name, streams }: Action, params: object): Promise<unknown> {
  if (!streams) {
    const { retcode, data, message } = await client.call(name, params)
    return retcode === 0 ? data : `${retcode} ${message}`
  }
  const from = client.frames.length
  client.send({ action: name, params, echo: 'stream' })
  await client.find((frame) => frame['echo'] === 'stream' && field(frame, 'data', 'type') !== 'stream', from)
  const frames = client.frames.slice(from).filter((frame) => frame['echo'] === 'stream')
  const failed = frames.find(({ retcode }) => retcode !== 0)
  return failed === undefined
    ? frames.map(({ data }) => data)
    : `${String(failed['retcode'])} ${String(failed['message'])}`
}

async function expectChange(
  look: () => Promise<unknown>,
  change: () => Promise<unknown>,
  shows: (answer: unknown) => unknown,
): Promise<void> {
  const before = await look()
  const answer = await change()
  const wanted = { seen: await shows(answer) }
  expect({ seen: await look() }).toMatchObject(wanted)
  expect({ seen: before }).not.toMatchObject(wanted)
}

const writing =
  <Who>(pick: (scene: Scene) => Who) =>
  (arrange: (scene: Scene) => Promise<Written<Who>>): Row => ({
    does: 'does',
    walk: async ({ name }) => {
      const scene = await Scene.start('node')
      const { params, seen, shows } = await arrange(scene)
      await expectChange(
        () => seen(pick(scene)),
        () => scene.robo.get(name, params),
        shows,
      )
    },
  })

/** It changes what people, or other bots, see. */
export const writes = writing<Others>((scene) => scene)

/** It changes what is for the bot alone: another client of the same bot sees it, or who looks into its folder. */
export const writesForItself = writing<Itself>((scene) => scene)

/** It says what others change. */
export const reads = (arrange: (scene: Scene) => Promise<Read>, options: SceneOptions = {}): Row => ({
  does: 'does',
  walk: async (action) => {
    const scene = await Scene.start('node', options)
    const { params, change, shows } = await arrange(scene)
    await expectChange(
      () => ask(scene.robo, action, params),
      async () => {
        await change(scene)
        await scene.bots.settle(scene.robo)
      },
      () => shows,
    )
  },
})

/** It says always the same, whatever happens. */
export const constant = (
  change: (scene: Scene) => Promise<void>,
  params: (scene: Scene) => object = () => ({}),
): Row => ({
  does: 'constant',
  walk: async (action) => {
    const scene = await Scene.start('node')
    const given = params(scene)
    const before = await ask(scene.robo, action, given)
    expect(before).not.toEqual(expect.stringMatching(/^1\d{3}\b/))
    await change(scene)
    expect(await ask(scene.robo, action, given)).toEqual(before)
  },
})

// What others see

/** What another bot was told so far. */
export async function told({ bots, mate }: Others): Promise<Json[]> {
  await bots.settle(mate)
  return mate.events
}

/** What another bot is answered. */
export const mateReads =
  (action: string, params: object = {}) =>
  ({ mate }: Others): Promise<unknown> =>
    mate.get(action, params)

/** What bo was told over the gateway so far, of a type. */
export const boHears =
  (type: string) =>
  async ({ bots, eyes }: Others): Promise<unknown[]> => {
    await bots.settle()
    await eyes.settle()
    return dataOf(eyes, type)
  }

/** What somebody finds over HTTP. */
export const finds =
  (who: Person, path: string) =>
  (others: Others): Promise<unknown> =>
    others.http(who, 'GET', path)

// What the bot itself sees elsewhere

export const selfReads =
  (action: string, params: object = {}) =>
  ({ self }: Itself): Promise<unknown> =>
    self.get(action, params)

/** What it has not read, as a session of its own is told first. */
export async function unread({ bots }: Itself): Promise<unknown> {
  const { gateway } = bots
  const session = await gateway.connect(await gateway.login(await bots.userOf('robo')))
  return field(readyOf(session), 'unread_counts')
}

/** Something among others, with these fields at least. */
export const has = (fields: Json): unknown => expect.arrayContaining([expect.objectContaining(fields)])

/** Text with this in it. */
export const containing = (part: string): unknown => expect.stringContaining(part)
