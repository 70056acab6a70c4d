import { describe, expect, it } from 'vitest'
import { findMedia } from '../../lib/chat/media.ts'

const ANY = { mime: 'application/octet-stream', kind: 'file' }
const KINDS = [
  ['\x89PNG\r\n\x1a\n', 'image/png', 'image'],
  ['\xff\xd8\xff', 'image/jpeg', 'image'],
  ['GIF87a', 'image/gif', 'image'],
  ['GIF89a', 'image/gif', 'image'],
  ['RIFF\x10\0\0\0WEBP', 'image/webp', 'image'],
  ['RIFF\x10\0\0\0WAVE', 'audio/wav', 'record'],
  ['OggS', 'audio/ogg', 'record'],
  ['ID3', 'audio/mpeg', 'record'],
  ['\xff\xfb', 'audio/mpeg', 'record'],
  ['#!AMR', 'audio/amr', 'record'],
  ['#!SILK_V3', 'audio/silk', 'record'],
  ['\x02#!SILK_V3', 'audio/silk', 'record'],
  ['\x1a\x45\xdf\xa3', 'video/webm', 'video'],
  ['\0\0\0\x18ftyp', 'video/mp4', 'video'],
] as const

const mediaOf = (text: string): unknown => findMedia(Buffer.from(text, 'latin1'))

describe('what a file is', () => {
  it.each(KINDS)('%j begins %s', (begins, mime, kind) => {
    expect(mediaOf(begins)).toEqual({ mime, kind })
    expect(mediaOf(`${begins}${'\xff'.repeat(1000)}`)).toEqual({ mime, kind })
    // One byte of it is missing, or it is not at the beginning.
    expect(mediaOf(begins.slice(0, -1))).toEqual(ANY)
    expect(mediaOf(` ${begins}`)).toEqual(ANY)
  })

  it.each([
    '',
    '\0',
    'fog at six',
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<?xml version="1.0"?><svg/>',
    '<!DOCTYPE html><script>alert(1)</script>',
    '\x89PNG\n\x1a\n',
    'GIF88a',
    'gif89a',
    'RIFF\x10\0\0\0AVI ',
    'RIFF WEBP',
    'BM\x10\0',
    '%PDF-1.7',
    'PK\x03\x04',
    'MZ\x90\0',
  ])('%j is just a file', (text) => {
    expect(mediaOf(text)).toEqual(ANY)
  })
})
