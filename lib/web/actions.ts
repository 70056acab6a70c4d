import type { WebAction } from '../../include-types/web.ts'
import { toTarget } from './action.ts'
import type { Target } from './handler.ts'

/** Actions that a program has registered. */
export class Actions {
  readonly #known: { readonly match: string; readonly target: Target }[] = []

  add(match: string, action: WebAction, role: string | null): void {
    this.#known.push({ match, target: toTarget(action, role) })
  }

  get empty(): boolean {
    return this.#known.length === 0
  }

  /** The first one for a path: the path itself, or one of its folders. */
  find(path: string): Target | null {
    const covers = (match: string): boolean =>
      path === match || path.startsWith(match.endsWith('/') ? match : `${match}/`)
    return this.#known.find(({ match }) => covers(match))?.target ?? null
  }
}
