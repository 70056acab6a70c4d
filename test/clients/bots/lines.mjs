import { createInterface } from 'node:readline'

/*
 * A client in a process of its own, driven by lines of JSON: `{id, call, args}` comes, `{id, result}` or `{id, error}` and
 * `{event, data}` go.
 */

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** What the client has emitted. */
export const tell = (event, data = null) => say({ event, data })

/** @param find the function of a name */
export function follow(find) {
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const { id, call, args } = JSON.parse(line)
      Promise.resolve()
        .then(() => find(call)(...args))
        .then(
          (result) => say({ id, result: result ?? null }),
          (error) => say({ id, error: error instanceof Error ? error.message : error }),
        )
    })
    .on('close', () => process.exit(0))
}
