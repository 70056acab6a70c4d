/** The servers that are compared, each in a file of its own; what one does not need is not loaded into its process. */
type Start = (world: string | null) => Promise<number>

/**
 * Each resolves with its port. On '/fan' a message is for everybody, on any other path it comes back. What keeps a world begins
 * with a copy of the folder that it is given. Null: a program of its own.
 */
export const servers = {
  'raw string': async () => (await import('./raw.ts')).startRaw('string'),
  'raw view': async () => (await import('./raw.ts')).startRaw('view'),
  'ours uws string': async () => (await import('./ours.ts')).startOurs('uws', 'string'),
  'ours uws view': async () => (await import('./ours.ts')).startOurs('uws', 'view'),
  'ours node string': async () => (await import('./ours.ts')).startOurs('node', 'string'),
  'ours node view': async () => (await import('./ours.ts')).startOurs('node', 'view'),
  'raw files': async () => (await import('./raw.ts')).startRawFiles(),
  'ours uws files': async () => (await import('./ours.ts')).startOursFiles('uws'),
  'ours node files': async () => (await import('./ours.ts')).startOursFiles('node'),
  'raw gateway': async () => (await import('./raw-gateway.ts')).startRawGateway(),
  'ours uws gateway': async (world) => (await import('./ours-gateway.ts')).startOursGateway('uws', 'full', world),
  'ours uws gateway normal': async (world) =>
    (await import('./ours-gateway.ts')).startOursGateway('uws', 'normal', world),
  'ours node gateway': async (world) => (await import('./ours-gateway.ts')).startOursGateway('node', 'full', world),
  'ours uws agent': async () => (await import('./ours-agent.ts')).startOursAgent('uws'),
  'ours node agent': async () => (await import('./ours-agent.ts')).startOursAgent('node'),
  'ours uws bots': async () => (await import('./ours-bots.ts')).startOursBots('uws'),
  'ours node bots': async () => (await import('./ours-bots.ts')).startOursBots('node'),
  'napcat shape': async () => (await import('./napcat.ts')).startNapcat(),
  // agent.py
  'python agent': null,
  'sirv': async () => (await import('./sirv.ts')).startSirv(),
  'ws': async () => (await import('./ws.ts')).startWs(),
  'bun': async () => (await import('./bun.ts')).startBun(),
} satisfies Record<string, Start | null>

export type ServerName = keyof typeof servers

export const isServerName = (name: string): name is ServerName => Object.hasOwn(servers, name)

/** Whether a server runs in Bun, which is in its place where Node has none. */
export const isBun = (name: ServerName): boolean => name === 'bun'

/** Whether a server is Python's: `agent.py` in place of `process.ts`. */
export const isPython = (name: ServerName): boolean => name === 'python agent'

export const isOurs = (name: ServerName): boolean => name.startsWith('ours')

/** What a server is for: a workload has those of its kind. */
export type Kind = 'sockets' | 'files' | 'gateway' | 'agent' | 'bots'

export const kindOf = (name: ServerName): Kind => {
  if (name === 'sirv' || name.endsWith(' files')) return 'files'
  if (name.endsWith(' agent')) return 'agent'
  if (name === 'napcat shape' || name.endsWith(' bots')) return 'bots'
  return name.includes(' gateway') ? 'gateway' : 'sockets'
}

/** What a server is measured against in the same run: raw uWebSockets.js that does as much with a message. */
export const rawOf = (name: ServerName): ServerName | null => {
  if (!isOurs(name)) return null
  const kind = kindOf(name)
  if (kind === 'agent' || kind === 'bots') return null
  if (kind !== 'sockets') return `raw ${kind}`
  return name.endsWith('view') ? 'raw view' : 'raw string'
}

/** The package that servers of a kind are measured against; null where there is none. */
export const PEERS = {
  sockets: 'ws',
  files: 'sirv',
  gateway: null,
  agent: 'python agent',
  bots: 'napcat shape',
} as const satisfies Record<Kind, ServerName | null>

export type Peer = NonNullable<(typeof PEERS)[Kind]>

export const peerOf = (name: ServerName): Peer | null => PEERS[kindOf(name)]
