import { parseCq, printCq } from '../../../lib/onebot/message/cq.ts'
import type { OneBotSegment } from '../../../include-types/onebot.ts'
import type { Random } from '../random.ts'
import { must, type Outcome, type Runner, type Target } from '../target.ts'

const PIECES = [
  '[CQ:',
  ']',
  '[',
  ',',
  '=',
  '&',
  ';',
  '&amp;',
  '&#91;',
  '&#93;',
  '&#44;',
  'amp;',
  '#91;',
  'face',
  'at',
  'text',
  'id=1',
  'qq=all',
  'text=',
  ' ',
  '\n',
  'tea',
  '茶',
  '🎉',
  '[CQ:face,id=1]',
  '[CQ:at,qq=10001,name=a&#44;b]',
  '[CQ:a.b-c_d,k.1=v]',
  '[CQ:face, id=1]',
  '__proto__=1',
] as const

/** The grammar, read letter by letter: written apart from the product, and in another way. */
function reference(text: string): OneBotSegment[] {
  const segments: OneBotSegment[] = []
  let plain = ''
  const decode = (part: string): string => {
    let out = ''
    for (let at = 0; at < part.length;) {
      const found = ESCAPES.find(([escape]) => part.startsWith(escape, at))
      out += found === undefined ? part[at] : found[1]
      at += found === undefined ? 1 : found[0].length
    }
    return out
  }
  const flush = (): void => {
    if (plain !== '') segments.push({ type: 'text', data: { text: decode(plain) } })
    plain = ''
  }
  for (let at = 0; at < text.length;) {
    const end = text.startsWith('[CQ:', at) ? text.indexOf(']', at) : -1
    const code = end < 0 ? null : readCode(text.slice(at + 4, end), decode)
    if (code === null) {
      plain += text[at]
      at++
    } else {
      flush()
      segments.push(code)
      at = end + 1
    }
  }
  flush()
  return segments
}

const ESCAPES = [
  ['&#91;', '['],
  ['&#93;', ']'],
  ['&#44;', ','],
  ['&amp;', '&'],
] as const

function readCode(inner: string, decode: (part: string) => string): OneBotSegment | null {
  const [type = '', ...pairs] = inner.split(',')
  if (inner.includes('[') || !/^[\w.-]+$/.test(type)) return null
  const data: [string, string][] = []
  for (const pair of pairs) {
    const [key = '', ...rest] = pair.split('=')
    if (rest.length === 0 || !/^[\w.-]+$/.test(key)) return null
    const value = rest.join('=')
    if (value !== '') data.push([key, decode(value)])
  }
  const fields = Object.fromEntries(data)
  return { type, data: type === 'text' ? { text: fields['text'] ?? '' } : fields }
}

class CqRunner implements Runner {
  #codes = 0

  make(random: Random): Buffer {
    return Buffer.from(Array.from({ length: random.below(14) }, () => random.pick(PIECES)).join(''))
  }

  attempt(input: Buffer): Outcome {
    const text = input.toString()
    const parsed = parseCq(text)
    must(JSON.stringify(parsed) === JSON.stringify(reference(text)), () => {
      return `parsed as ${JSON.stringify(parsed)} in place of ${JSON.stringify(reference(text))}`
    })
    const printed = printCq(parsed)
    const again = parseCq(printed)
    // Text beside text is one; what is empty is nothing.
    must(
      JSON.stringify(joined(again)) === JSON.stringify(joined(parsed)),
      () => `printed as ${JSON.stringify(printed)}`,
    )
    must(printCq(again) === printed, 'printed otherwise the second time')
    const codes = parsed.filter(({ type }) => type !== 'text').length
    this.#codes += codes
    return { count: 1, reached: codes > 0 }
  }

  async settle(): Promise<void> {}

  async stop(): Promise<void> {}

  notes(): string {
    return `(${this.#codes} codes)`
  }
}

function joined(segments: readonly OneBotSegment[]): OneBotSegment[] {
  const all: OneBotSegment[] = []
  for (const segment of segments) {
    const last = all.at(-1)
    const text = segment.data['text']
    if (segment.type === 'text' && text === '') continue
    if (segment.type === 'text' && last?.type === 'text') {
      all[all.length - 1] = { type: 'text', data: { text: `${String(last.data['text'])}${String(text)}` } }
    } else all.push(segment)
  }
  return all
}

/** CQ text: parsed as the grammar has it; printed and parsed again it is the same. */
export const cq: Target = {
  name: 'cq',
  full: 1_000_000,
  quick: 50_000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () => Promise.resolve(new CqRunner()),
}
