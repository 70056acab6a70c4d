export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * p
  const [low = NaN, high = low] = sorted.slice(Math.floor(at))
  return low + (high - low) * (at % 1)
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** A median and the quartiles around it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
})
