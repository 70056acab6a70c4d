import { execFileSync } from 'node:child_process'

/** Files of a process that are no connections of ours. */
const OTHER_FILES = 200

/** Throws what to do where a process may not have so many connections. Node has raised its own limit to the hard one already, and children have it, too. */
export function checkFiles(clients: number): void {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  if (limit === 'unlimited' || Number(limit) >= clients + OTHER_FILES) return
  throw new Error(
    `${clients} clients need ${clients + OTHER_FILES} open files in each process, and there may be ${limit}: ` +
      `'ulimit -n ${clients + OTHER_FILES}' first, as root, or fewer --clients`,
  )
}
