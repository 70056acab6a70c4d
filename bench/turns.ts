import { isOurs, peerOf, rawOf, type ServerName } from './servers/index.ts'

/** One process in a run, and what it is measured against: the keys of other turns. */
export interface Turn {
  readonly key: string
  readonly server: ServerName
  /** The program to start. */
  readonly program: string
  /** Raw uWebSockets.js in the same mode; of a second process of a server its first, which shows what equal ones are apart. */
  readonly raw: string | null
  /** `ws`, of files `sirv`, of agents Python's; a gateway has none. */
  readonly peer: string | null
  /** The same server in another checkout. */
  readonly base: string | null
}

/** Another checkout that ours are measured against. */
export interface Base {
  /** As it was named: a commit, a tag, a branch. */
  readonly name: string
  readonly program: string
}

/** In the order in which they run: what is compared is close together. */
export function toTurns(names: readonly ServerName[], program: string, base: Base | null): Turn[] {
  const known = (name: ServerName | null): string | null => (name !== null && names.includes(name) ? name : null)
  const raws = new Set(names.map(rawOf))
  return names.flatMap((server) => {
    const old = base !== null && isOurs(server) ? { ...base, key: `${server} @${base.name}` } : null
    const turn: Turn = {
      key: server,
      server,
      program,
      raw: known(rawOf(server)),
      peer: server === peerOf(server) ? null : known(peerOf(server)),
      base: old?.key ?? null,
    }
    const turns = [turn]
    if (old !== null) turns.push({ ...turn, key: old.key, program: old.program, base: null })
    // Without a raw server it is ours that show what equal ones are apart.
    if (raws.has(server) || (turn.raw === null && isOurs(server)))
      turns.push({ ...turn, key: `${server} again`, raw: server, base: null })
    return turns
  })
}
