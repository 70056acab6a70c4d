import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const [KB, MB, GB] = [1000, 1 << 20, 1 << 30]

/** RFC 7692 §8 has nothing on it: a megabyte that inflates to a gigabyte. */
it.each(
  (['server', 'client'] as const).flatMap((role) =>
    [
      { length: 101 * KB, limit: 100 * KB },
      { length: MB, limit: 100 * KB },
      { length: 90 * MB, limit: 100 * KB },
      // Too much as it is on the wire
      { length: GB, limit: 100 * KB },
      { length: GB, limit: 2 * MB },
      { length: GB, limit: 32 * MB },
    ].map((bomb) => ({ role, ...bomb })),
  ),
)('$length bytes for a $role that takes $limit: 1009, within the limit and 8 MB', async ({ role, length, limit }) => {
  const file = join(import.meta.dirname, 'bomb.ts')
  const { stdout } = await run(process.execPath, ['--import', 'tsx', file, role, String(length), String(limit)])
  const [sent = NaN, status, growth] = stdout.split(' ').map(Number)
  expect(status).toBe(1009)
  expect(sent).toBeLessThan(2 * MB)
  expect(growth).toBeLessThanOrEqual(limit + 8 * MB)
})
