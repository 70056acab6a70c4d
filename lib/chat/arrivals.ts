import type { Access } from './access.ts'
import type { Audit } from './audit.ts'
import type { Core } from './core.ts'
import { CREATE_INVITES, has, serverPermissions } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Request, Requests } from './requests.ts'
import type { Servers } from './servers.ts'
import type { Users } from './users.ts'

/** Ways into a server that somebody else has a say in: asking to come in, and being asked to. */
export class Arrivals {
  readonly #access: Access
  readonly #servers: Servers
  readonly #users: Users
  readonly #requests: Requests
  readonly #audit: Audit

  constructor({ audit }: Core, access: Access, servers: Servers, users: Users, requests: Requests) {
    this.#audit = audit
    this.#access = access
    this.#servers = servers
    this.#users = users
    this.#requests = requests
  }

  /** Who wants to come in; for who may bring others in. */
  joinRequests(user: string, server: string): Request[] {
    this.#access.mayInServer(user, server, CREATE_INVITES)
    return this.#requests.ofServer(server, 'join')
  }

  /** Where somebody was asked to come. */
  invitations(user: string): Request[] {
    return this.#requests.ofUser(user, 'invite').filter(({ to_user }) => to_user === user)
  }

  /** What somebody decides of a server, by the name that bots have for it: pending or not; null for others. */
  byFlag(user: string, flag: string): Request | null {
    const request = this.#requests.byFlag(flag)
    if (request === null || request.server_id === null) return null
    if (request.kind === 'invite') return request.to_user === user ? request : null
    return request.kind === 'join' && this.mayDecide(user, request.server_id) ? request : null
  }

  /** Whether somebody has a say in who comes in. */
  mayDecide(user: string, server: string): boolean {
    return (
      this.#access.isMember(user, server) && has(serverPermissions(this.#access.member(user, server)), CREATE_INVITES)
    )
  }

  // Changes

  /** To a server that is public, and needs an invite. */
  askToJoin(user: string, server: string, comment: string): Request {
    this.#servers.checkCanBeAsked(user, server)
    return this.#requests.make({ kind: 'join', from_user: user, to_user: null, server_id: server, comment })
  }

  acceptJoin(user: string, server: string, id: string): Request {
    const request = this.#ofServer(user, server, id)
    this.#servers.checkMayEnter(request.from_user, server)
    this.#servers.admit(request.from_user, server, user)
    this.#log(user, server, 'join.accept', request.from_user)
    return this.#requests.decide(request, 'approved', user, null)
  }

  rejectJoin(user: string, server: string, id: string, reason: string | null): Request {
    const request = this.#ofServer(user, server, id)
    this.#log(user, server, 'join.reject', request.from_user)
    return this.#requests.decide(request, 'rejected', user, reason)
  }

  #ofServer(user: string, server: string, id: string): Request {
    this.#access.mayInServer(user, server, CREATE_INVITES)
    const request = this.#requests.pending('join', id)
    if (request.server_id !== server) throw notFound()
    return request
  }

  /** Has somebody asked to come. */
  invite(user: string, server: string, other: string, comment: string): Request {
    this.#access.mayInServer(user, server, CREATE_INVITES)
    const there = this.#access.isMember(other, server)
    if (!there && this.#users.find(other)?.disabled !== 0) throw notFound()
    if (there) throw new Refusal('CONFLICT', 'They are a member already')
    if (this.#servers.isBanned(other, server)) throw new Refusal('CONFLICT', 'They are banned from this server')
    this.#log(user, server, 'member.invite', other)
    return this.#requests.make({ kind: 'invite', from_user: user, to_user: other, server_id: server, comment })
  }

  acceptInvitation(user: string, server: string, id: string): Request {
    const request = this.#toUser(user, server, id)
    this.#servers.checkMayEnter(user, server)
    this.#log(user, server, 'invitation.accept', user)
    this.#servers.admit(user, server, request.from_user, true)
    return this.#requests.decide(request, 'approved', user, null)
  }

  rejectInvitation(user: string, server: string, id: string, reason: string | null): Request {
    return this.#requests.decide(this.#toUser(user, server, id), 'rejected', user, reason)
  }

  #log(actor: string, server: string, action: string, user: string): void {
    this.#audit.log({ server, actor, action, target: ['user', user] })
  }

  #toUser(user: string, server: string, id: string): Request {
    const request = this.#requests.pending('invite', id)
    if (request.to_user !== user || request.server_id !== server) throw notFound()
    return request
  }
}
