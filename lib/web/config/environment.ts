import type { Path, Problem } from './check.ts'

type Environment = Readonly<Record<string, string | undefined>>

const NAME = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** A config whose texts have what they name of the environment; names that are not there are problems. */
export function substitute(
  value: unknown,
  environment: Environment,
): { readonly value: unknown; readonly problems: readonly Problem[]; readonly hidden: ReadonlySet<unknown> } {
  const problems: Problem[] = []
  const hidden = new Set<unknown>()
  const visit = (at: unknown, path: Path): unknown => {
    if (typeof at === 'string') {
      const replaced = at.replace(NAME, (_all, name: string) => {
        const found = environment[name]
        if (found === undefined) problems.push({ path, rule: `there is no ${name} in the environment`, got: '' })
        return found ?? ''
      })
      if (replaced !== at) hidden.add(replaced)
      return replaced
    }
    if (Array.isArray(at)) return at.map((item, i) => visit(item, [...path, i]))
    if (typeof at !== 'object' || at === null) return at
    return Object.fromEntries(Object.entries(at).map(([key, inner]) => [key, visit(inner, [...path, key])]))
  }
  return { value: visit(value, []), problems, hidden }
}
