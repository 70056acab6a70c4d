import { Compile } from 'typebox/schema'
import { forbidden } from '../../chat/refusal.ts'
import { toClient } from '../../web/address.ts'
import type { Accounts } from '../accounts.ts'
import { text, word } from './body.ts'
import { callerOf } from './call.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const Register = Compile({
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: word('^[A-Za-z0-9_]{2,32}$'),
    password: text(8, 128),
    email: { anyOf: [{ type: 'string', pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 254 }, { type: 'null' }] },
  },
})
const Login = Compile({
  type: 'object',
  required: ['username', 'password'],
  properties: { username: text(1, 64), password: text(1, 128) },
})
const Refresh = Compile({
  type: 'object',
  required: ['refresh_token'],
  properties: { refresh_token: text(1, 2048) },
})
const Logout = Compile({ type: 'object', properties: { refresh_token: text(1, 2048) } })
const Password = Compile({
  type: 'object',
  required: ['current_password', 'new_password'],
  properties: { current_password: text(1, 128), new_password: text(8, 128) },
})

/** @param open whether anybody may make an account */
export const accountRoutes = (accounts: Accounts, open: boolean): Route[] => [
  routeWithBody('POST /auth/register', 'public', Register, async ({ body }) => {
    if (!open) throw forbidden()
    return created(await accounts.register(body.username, body.password, body.email ?? null))
  }),
  routeWithBody('POST /auth/login', 'public', Login, async ({ body, remote }) =>
    ok(await accounts.login(body.username, body.password, toClient(remote))),
  ),
  routeWithBody('POST /auth/refresh', 'public', Refresh, async ({ body, remote }) =>
    ok(await accounts.refresh(body.refresh_token, remote)),
  ),
  routeWithBody('POST /auth/logout', 'public', Logout, async ({ body, caller }) => {
    await accounts.logout(body.refresh_token ?? null, caller)
    return NO_CONTENT
  }),
  route('POST /auth/logout-all', 'human', async (call) => {
    await accounts.logoutAll(callerOf(call))
    return NO_CONTENT
  }),
  routeWithBody('POST /auth/password', 'human', Password, async (call) => {
    await accounts.changePassword(
      callerOf(call),
      call.body.current_password,
      call.body.new_password,
      toClient(call.remote),
    )
    return NO_CONTENT
  }),
]
