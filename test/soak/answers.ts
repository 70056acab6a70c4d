/** The side of a program that was started by another: it answers what that asks, and ends with it. */
import type { Figures } from './messages.ts'

const quit = (): void => process.exit()

async function attempt(what: () => Figures | Promise<Figures>): Promise<Figures | string> {
  try {
    return await what()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Says something to the program that has started this one; a text says why something was not done. */
export function tell(what: Figures | string, then: () => void = () => {}): void {
  if (process.send === undefined) throw new Error('this program is started by test/soak/run.ts')
  process.send(what, undefined, undefined, then)
}

/**
 * Answers each command with what `run` makes of it. Behind the answer to one that `isLast` the channel is closed, and the
 * process goes on until nothing keeps it.
 */
export function answer<C>(
  isCommand: (value: unknown) => value is C,
  run: (command: C) => Figures | Promise<Figures>,
  isLast: (command: C) => boolean = () => false,
): void {
  const handle = async (command: C): Promise<void> => {
    const result = await attempt(() => run(command))
    if (!isLast(command)) return tell(result)
    process.off('disconnect', quit)
    tell(result, () => process.disconnect())
  }
  process.once('disconnect', quit)
  process.on('message', (message) => {
    if (isCommand(message)) void handle(message)
  })
}
