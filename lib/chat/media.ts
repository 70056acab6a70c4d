/** What a file is, by what it begins with: what somebody says of it is not looked at. */
export interface Media {
  readonly mime: string
  readonly kind: 'image' | 'record' | 'video' | 'file'
}

/** What is known of the bytes of a file: found out once. */
export interface Content extends Media {
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

interface Signature extends Media {
  /** Latin-1. */
  readonly begins: string
  /** What follows, from there. */
  readonly then?: readonly [at: number, text: string]
}

const SIGNATURES: readonly Signature[] = [
  { begins: '\x89PNG\r\n\x1a\n', mime: 'image/png', kind: 'image' },
  { begins: '\xff\xd8\xff', mime: 'image/jpeg', kind: 'image' },
  { begins: 'GIF87a', mime: 'image/gif', kind: 'image' },
  { begins: 'GIF89a', mime: 'image/gif', kind: 'image' },
  { begins: 'RIFF', then: [8, 'WEBP'], mime: 'image/webp', kind: 'image' },
  { begins: 'RIFF', then: [8, 'WAVE'], mime: 'audio/wav', kind: 'record' },
  { begins: 'OggS', mime: 'audio/ogg', kind: 'record' },
  { begins: 'ID3', mime: 'audio/mpeg', kind: 'record' },
  { begins: '\xff\xfb', mime: 'audio/mpeg', kind: 'record' },
  { begins: '#!AMR', mime: 'audio/amr', kind: 'record' },
  { begins: '#!SILK_V3', mime: 'audio/silk', kind: 'record' },
  { begins: '\x02#!SILK_V3', mime: 'audio/silk', kind: 'record' },
  { begins: '\x1a\x45\xdf\xa3', mime: 'video/webm', kind: 'video' },
  { begins: '', then: [4, 'ftyp'], mime: 'video/mp4', kind: 'video' },
]

const ANY: Media = { mime: 'application/octet-stream', kind: 'file' }

export function findMedia(bytes: Buffer): Media {
  const head = bytes.toString('latin1', 0, 16)
  const found = SIGNATURES.find(
    ({ begins, then }) => head.startsWith(begins) && (then === undefined || head.startsWith(then[1], then[0])),
  )
  return found === undefined ? ANY : { mime: found.mime, kind: found.kind }
}
