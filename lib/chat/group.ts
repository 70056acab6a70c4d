/** Items by what they have in common, in their order. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

/** Whether a change says nothing but what is so already. */
export function isPartOf<T extends object>(change: Partial<T>, whole: T): boolean {
  for (const key in change) if (change[key] !== whole[key]) return false
  return true
}
