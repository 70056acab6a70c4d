import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptOffer, acceptResponse, createOffer } from '../../lib/engine/extensions.ts'

const ALONE = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'

describe('acceptOffer: what a server answers (RFC 7692 §7.1)', () => {
  it.each([
    ['permessage-deflate', ALONE, 15],
    ['permessage-deflate; client_max_window_bits', ALONE, 15],
    ['permessage-deflate; client_max_window_bits=8', ALONE, 15],
    ['permessage-deflate; server_no_context_takeover', ALONE, 15],
    ['permessage-deflate; client_no_context_takeover;server_no_context_takeover', ALONE, 15],
    ['permessage-deflate; server_max_window_bits=9', `${ALONE}; server_max_window_bits=9`, 9],
    ['permessage-deflate; server_max_window_bits=15', `${ALONE}; server_max_window_bits=15`, 15],
    ['permessage-deflate; server_max_window_bits="12"', `${ALONE}; server_max_window_bits=12`, 12],
    ['permessage-deflate; server_max_window_bits="1\\2"', `${ALONE}; server_max_window_bits=12`, 12],
    ['\tpermessage-deflate ;  server_max_window_bits =\t"10" ', `${ALONE}; server_max_window_bits=10`, 10],
    // The first that it can follow
    ['permessage-deflate; server_max_window_bits=8, permessage-deflate', ALONE, 15],
    ['permessage-deflate; unknown, permessage-deflate; server_max_window_bits=11', undefined, 11],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', undefined, 10],
    ['x-webkit-deflate-frame; no_context_takeover; x="a", , permessage-deflate,', ALONE, 15],
  ])('%s', (header, response, bits) => {
    const accepted = acceptOffer(header, false)
    expect(accepted?.compression).toEqual({ takeoverIn: false, takeoverOut: false, bits })
    expect(accepted?.response).toBe(response ?? `${ALONE}; server_max_window_bits=${bits}`)
  })

  it.each([
    ['', '', true, true],
    ['; server_no_context_takeover', '; server_no_context_takeover', true, false],
    ['; client_no_context_takeover', '; client_no_context_takeover', false, true],
    [
      '; client_no_context_takeover; server_max_window_bits=13; server_no_context_takeover; client_max_window_bits=10',
      '; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=13',
      false,
      false,
    ],
  ])('with takeover, asked for "%s"', (asked, answered, takeoverIn, takeoverOut) => {
    const accepted = acceptOffer(`permessage-deflate${asked}`, true)
    expect(accepted?.response).toBe(`permessage-deflate${answered}`)
    expect(accepted?.compression).toEqual({ takeoverIn, takeoverOut, bits: answered.includes('=13') ? 13 : 15 })
  })

  it.each([
    // Not offered
    '',
    ' , ',
    'permessage-bzip2',
    'Permessage-deflatee',
    // Offers that cannot be followed
    'permessage-deflate; server_max_window_bits=8',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=010',
    'permessage-deflate; server_max_window_bits=1e1',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=""',
    'permessage-deflate; client_max_window_bits=16',
    'permessage-deflate; client_max_window_bits=x',
    'permessage-deflate; server_no_context_takeover=true',
    'permessage-deflate; client_no_context_takeover=1',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; server_max_window_bits=10; server_max_window_bits=10',
    'permessage-deflate; constructor',
    // Headers that are malformed, though there is an offer in them
    'permessage-deflate;',
    'permessage-deflate; ; client_max_window_bits',
    'permessage-deflate=1',
    'permessage-deflate; client_max_window_bits=',
    'permessage-deflate; client_max_window_bits="10',
    'permessage-deflate; a="b,c"',
    'permessage-deflate, x; a="b;c"',
    'permessage-deflate, x; a="b c"',
    'permessage-deflate, x; a="b\\',
    'permessage-deflate, (x)',
    'permessage-deflate x',
    'permessage-deflate, \u00a0',
    `permessage-deflate, x; a="${'b'.repeat(20_000)}`,
    `permessage-deflate, x${' '.repeat(20_000)}x`,
  ])('none for %s', (header) => {
    expect(acceptOffer(header, false)).toBeNull()
    expect(acceptOffer(header, true)).toBeNull()
  })

  it('whatever a peer sends: an answer that says what was agreed, or none', () => {
    const names =
      'server_max_window_bits client_max_window_bits server_no_context_takeover client_no_context_takeover x'
    const word = fc.constantFrom(...names.split(' '), '8', '10', '15', '"9"', '=', ';', ',', ' ', '\\', '"')
    let count = 0
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.boolean(), (words, takeover) => {
        const accepted = acceptOffer(['permessage-deflate', ...words].join(''), takeover)
        if (accepted === null) return
        count++
        // A client of the same rules reads the mirror of it.
        expect(acceptResponse(accepted.response, true)).toEqual({
          takeoverIn: accepted.compression.takeoverOut,
          takeoverOut: accepted.compression.takeoverIn,
          bits: 15,
        })
      }),
      { numRuns: 5000 },
    )
    expect(count).toBeGreaterThan(100)
  })
})

describe('what a client offers, and what it takes', () => {
  it('its own offers are accepted as they are meant', () => {
    expect(acceptOffer(createOffer(false), true)?.compression.takeoverIn).toBe(false)
    expect(acceptOffer(createOffer(false), true)?.compression.takeoverOut).toBe(false)
    expect(acceptOffer(createOffer(true), true)?.response).toBe('permessage-deflate')
    expect(createOffer(true)).toBe('permessage-deflate; client_max_window_bits')
    expect(createOffer(false)).toBe(
      'permessage-deflate; client_max_window_bits; server_no_context_takeover; client_no_context_takeover',
    )
  })

  it.each([
    ['permessage-deflate', true, true, 15],
    ['permessage-deflate; client_no_context_takeover', true, false, 15],
    ['permessage-deflate; server_no_context_takeover', false, true, 15],
    ['permessage-deflate; server_max_window_bits=8', true, true, 15],
    ['permessage-deflate; client_max_window_bits=9', true, true, 9],
    ['permessage-deflate; client_max_window_bits="8"', true, true, 8],
    [`${ALONE}; server_max_window_bits=15; client_max_window_bits=15`, false, false, 15],
  ])('%s', (header, takeoverIn, takeoverOut, bits) => {
    expect(acceptResponse(header, true)).toEqual({ takeoverIn, takeoverOut, bits })
    // Asked to forget and does not say that it will: tolerated. What we send is ours to decide.
    expect(acceptResponse(header, false)).toEqual({ takeoverIn, takeoverOut: false, bits })
  })

  it.each([undefined, '', ' ,\t,'])('no compression for %j', (header) => {
    expect(acceptResponse(header, true)).toBeNull()
  })

  it.each([
    'x-other',
    'permessage-deflate, x-other',
    'permessage-deflate, permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; client_max_window_bits=7',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
    'permessage-deflate; unknown',
    'permessage-deflate;',
    '"permessage-deflate"',
  ])('a handshake that fails: %s', (header) => {
    expect(acceptResponse(header, true)).toBe('error')
  })
})
