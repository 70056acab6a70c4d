import { Collector } from './collector.ts'
import type { Slicer } from './partial.ts'

/** The state of a message that comes in pieces, or is delivered in parts. */
export class Incoming {
  /** It has begun and not ended. */
  open = false
  /** Its bytes so far, over all frames. */
  received = 0
  /** It is delivered in parts, of which `sliced` bytes have been. */
  slicing = false
  sliced = 0
  readonly collector = new Collector()
  slicer: Slicer | null = null
}
