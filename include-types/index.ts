export type * from './agent.ts'
export type * from './client.ts'
export type * from './web.ts'
export type * from './websock.ts'
