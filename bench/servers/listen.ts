import { type TemplatedApp, us_socket_local_port as portOf } from 'uWebSockets.js'

/** On a free port, which it resolves with. */
export const listen = (app: TemplatedApp): Promise<number> =>
  new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) =>
      socket === false ? reject(new Error('uWebSockets.js cannot listen')) : resolve(portOf(socket)),
    )
  })
