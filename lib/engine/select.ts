import type { Duplex } from 'node:stream'
import { nodeEngine } from './node/server.ts'
import { NodeTopics } from './node/topics.ts'
import { NodeTransport } from './node/transport.ts'
import { nodeClient } from './node/client.ts'
import type { ClientPort, Engine, TopicPort, Transport } from './port.ts'
import { loadUwsEngine } from './uws/server.ts'

/** What a config or the command line asks for. */
export type EngineChoice = 'auto' | 'uws' | 'node'

/** The engine, and what the user should be told about the choice. */
export interface Selection {
  readonly engine: Engine
  readonly notice: string | null
}

/** Where the native engine cannot be had, `auto` goes on with node, and `uws` is an error. */
export async function selectEngine(choice: EngineChoice): Promise<Selection> {
  if (choice === 'node') return { engine: nodeEngine, notice: null }
  try {
    return { engine: await loadUwsEngine(), notice: null }
  } catch (error) {
    // The package explains itself at length; its first sentence is enough.
    const reason = (error instanceof Error ? error.message : String(error)).split('\n', 1).join().replace(/\.$/, '')
    if (choice === 'uws') {
      throw new Error(`Cannot load uWebSockets.js: ${reason}; set engine to 'auto' or 'node'`, { cause: error })
    }
    return { engine: nodeEngine, notice: `cannot load uWebSockets.js, using the node engine: ${reason}` }
  }
}

/** For connections that somebody else has upgraded: the node engine without a server. */
export interface StreamEngine {
  readonly clock: Engine['clock']
  readonly topics: TopicPort
  readonly client: ClientPort
  /** Only a server's frames can be shared: clients join no topics. */
  open(stream: Duplex, client: boolean): Transport
}

export function createStreamEngine(publishLimit: number): StreamEngine {
  const topics = new NodeTopics()
  return {
    clock: nodeEngine.clock,
    topics,
    client: nodeClient,
    open: (stream, client) =>
      new NodeTransport(stream, Buffer.alloc(0), client, client ? null : { topics, publishLimit }),
  }
}
