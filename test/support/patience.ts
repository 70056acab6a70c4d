/** Less than the time that a test has, so that it fails with what it waited for. */
const PATIENCE = 40_000

/** Waits for an event; one that does not come fails with a text of what there is instead. */
export async function patiently<T>(event: Promise<T>, state: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE} ms in vain: ${state()}`)), PATIENCE)
  })
  try {
    return await Promise.race([event, late])
  } finally {
    clearTimeout(timer)
  }
}
