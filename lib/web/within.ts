/** Milliseconds that a timer of node can wait: 25 days. */
const LONGEST = 0x7fff_ffff

/** Waits for a promise, `ms` milliseconds at most. */
export async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    if (ms <= LONGEST) timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
