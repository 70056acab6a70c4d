import type { Clock } from './port.ts'

/** The clock of the machine. */
export const systemClock: Clock = {
  // Whole numbers: a fraction would cost each place that keeps one an object.
  now: () => Math.floor(performance.now()),
  every(ms, fn) {
    const timer = setInterval(fn, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
  after(ms, fn, ref) {
    const timer = setTimeout(fn, ms)
    if (!ref) timer.unref()
    return () => clearTimeout(timer)
  },
  defer(fn) {
    setImmediate(fn)
  },
}
