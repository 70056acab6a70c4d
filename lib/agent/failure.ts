/** Why a turn has failed, as clients are told: what the agent or the model said of it is for the log. */
const TEXTS = {
  agent_error: 'Sorry, I encountered an error.',
  agent_timeout: 'Sorry, the agent took too long.',
  agent_idle: 'Sorry, the agent took too long.',
  queue_full: 'Too many messages are waiting; this one was dropped.',
  model_unavailable: 'Sorry, the model is not reachable.',
  model_auth: "Sorry, the model rejected the server's credentials.",
  model_rate_limited: 'Sorry, the model is busy; try again shortly.',
  model_rejected: 'Sorry, the model rejected the request.',
  empty_response: 'Sorry, the model returned nothing.',
} as const

export type FailureCode = keyof typeof TEXTS

/** What an agent of ours throws: its message is for the log. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export const codeOf = (error: unknown): FailureCode => (error instanceof Failure ? error.code : 'agent_error')

export const textOf = (code: FailureCode): string => TEXTS[code]
