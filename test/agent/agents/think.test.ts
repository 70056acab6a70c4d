import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ThinkFilter } from '../../../lib/agent/agents/think.ts'

/** What is left of a text that comes in these pieces: each push, and the end. */
function filter(...pieces: readonly string[]): string[] {
  const thinks = new ThinkFilter()
  const said = pieces.map((piece) => thinks.push(piece))
  return [...said, thinks.end()]
}

/** The same of the whole, as nobody would do it in pieces: what is not closed goes, too. */
const strip = (text: string): string => text.replaceAll(/<think>[^]*?(?:<\/think>|$)/g, '')

const tags = fc.constantFrom('<think>', '</think>', '<think', '</thin', '<', '>', '</', 'think>', '<THINK>', '< think>')
const text = fc
  .array(fc.oneof(tags, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 12 })
  .map((parts) => parts.join(''))

const cut = (whole: string, at: readonly number[]): string[] => {
  const cuts = [0, ...at.map((one) => one % (whole.length + 1)).toSorted((a, b) => a - b), whole.length]
  return cuts.slice(1).map((end, i) => whole.slice(cuts[i], end))
}

describe('thoughts in tags', () => {
  it('are taken out of any text, however it is cut', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(200)), (whole, at) => {
        const said = filter(...cut(whole, at)).join('')
        expect(said).toBe(strip(whole))
      }),
      { numRuns: 3000 },
    )
  })

  it('are taken out of any text that comes by single units', () => {
    fc.assert(
      fc.property(text, (whole) => {
        expect(filter(...whole.split('')).join('')).toBe(strip(whole))
      }),
      { numRuns: 1000 },
    )
  })

  it('hold nothing back that cannot be a tag', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(200)), (whole, at) => {
        const thinks = new ThinkFilter()
        let came = ''
        let said = ''
        for (const piece of cut(whole, at)) {
          came += piece
          said += thinks.push(piece)
          const held = strip(came).slice(said.length)
          expect('<think>'.startsWith(held)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    [['a<think>b</think>c'], ['ac', '']],
    [['<think>b</think>'], ['', '']],
    [['a<think>b</think>c<think>d</think>e'], ['ace', '']],
    [
      ['a<th', 'ink>b</th', 'ink>c'],
      ['a', '', 'c', ''],
    ],
    [
      ['<', 'b'],
      ['', '<b', ''],
    ],
    [
      ['<thi', '<think>', 'x'],
      ['', '<thi', '', ''],
    ],
    [
      ['<<think>x</think>', '>'],
      ['<', '>', ''],
    ],
  ])('are taken out of %j as they come: %j', (pieces, said) => {
    expect(filter(...pieces)).toEqual(said)
  })

  it('end with what might have been a tag', () => {
    expect(filter('a <thin')).toEqual(['a ', '<thin'])
  })

  it('that are not closed are thoughts up to the end', () => {
    expect(filter('a<think>b', 'c</thin')).toEqual(['a', '', ''])
  })

  it('are closed by the first tag, and another one is text', () => {
    expect(filter('<think>a<think>b</think>c</think>d').join('')).toBe('c</think>d')
  })

  it('make no tag of what is left around them', () => {
    expect(filter('<th<think>x</think>ink>y').join('')).toBe('<think>y')
  })

  it('give nothing twice at the end', () => {
    const thinks = new ThinkFilter()
    thinks.push('<thi')
    expect([thinks.end(), thinks.end()]).toEqual(['<thi', ''])
  })
})
