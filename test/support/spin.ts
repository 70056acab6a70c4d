/** Holds the event loop, as a program does that has a lot to compute. */
export function spin(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
