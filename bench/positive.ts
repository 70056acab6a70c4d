/** A number above 0 that a flag gives; null without one. Throws with a text for the user. */
export function toPositive(name: string, text: string | undefined, isValid: (value: number) => boolean): number | null {
  if (text === undefined) return null
  const value = Number(text)
  if (!isValid(value) || value <= 0) throw new Error(`--${name} ${text}: not a number above 0`)
  return value
}
