/** The clients of a soak, in a process of their own. It says that it is there, then answers commands. */
import { answer, tell } from './answers.ts'
import { type Figures, isPeersCommand, type Opening, type PeersCommand } from './messages.ts'
import { closes } from './peers/closes.ts'
import { flood } from './peers/flood.ts'
import { openPeer, openPeers, type Peer } from './peers/peer.ts'
import { Readers } from './peers/readers.ts'

const readers = new Readers()
const stalled: Peer[] = []

async function open(opening: Opening): Promise<Figures> {
  const { port, path, count, reads } = opening
  if (reads) await readers.open(opening)
  else stalled.push(...(await openPeers(count, () => openPeer(port, path, null))))
  return { opened: count }
}

/** Resets, so that no port is left behind that waits. */
function leave(): Figures {
  for (const { socket } of [...readers.peers, ...stalled]) socket.resetAndDestroy()
  return {}
}

function run(command: PeersCommand): Figures | Promise<Figures> {
  switch (command.do) {
    case 'open':
      return open(command)
    case 'reset':
      readers.reset()
      return {}
    case 'arrived':
      return readers.arrived(command.count)
    case 'flood':
      return flood(command)
    case 'closes':
      return closes(readers, command.seconds, command.window)
    case 'leave':
  }
  return leave()
}

answer(isPeersCommand, run)
tell({})
