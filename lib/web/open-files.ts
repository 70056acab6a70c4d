import { readFileSync } from 'node:fs'
import type { Settings } from './config/settings.ts'

/** Files that this process may have open at a time; Infinity where nobody says. */
function openFileLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return Number(soft ?? Infinity)
  } catch {
    return Infinity
  }
}

/** Each connection is a file: what is said where there may be more of them than files. */
export function findShortage({ server, endpoints }: Settings, files = openFileLimit()): string[] {
  const connections = server.maxConnections * endpoints.length
  if (connections === Infinity || connections < files) return []
  return [
    `limits.connections lets in ${connections}, and this process may have ${files} open files: ` +
      'lower it, or raise that (ulimit -n, LimitNOFILE)',
  ]
}
