/**
 * Longest width, and most digits a precision may ask for. Both can come from an argument (`*`), which can come from a
 * peer: without a cap, ten characters of format could allocate gigabytes. Text is never cut by it.
 */
export const MAX_FIELD = 4096

const DIRECTIVE = /%([-+#0 ,']*)(\*|\d+)?(?:\.(\*|\d*))?[hlLz]*(.?)/gsu
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Precision -1: not given */
type Spec = { flags: string; width: number; precision: number }
type Convert = (arg: unknown, spec: Spec) => string

/** Objects decide how they convert, and may throw. */
function attempt<T>(convert: (value: unknown) => T, value: unknown, otherwise: T): T {
  try {
    return convert(value)
  } catch {
    return otherwise
  }
}

const toNumber = (value: unknown) => attempt(Number, value, NaN)
const decode = (value: unknown) => (value instanceof Uint8Array ? UTF8.decode(value) : String(value))

/** What `%s` prints. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : attempt(decode, value ?? null, '[object]')
}

function toInteger(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  const number = toNumber(value)
  return Number.isFinite(number) ? BigInt(Math.trunc(number)) : 0n
}

/** The first `count` code points; all for a negative count. */
function truncate(text: string, count: number): string {
  if (count < 0 || text.length <= count) return text
  const points = Array.from(text.slice(0, 2 * count))
  return points.slice(0, count).join('')
}

function pad(sign: string, body: string, { flags, width }: Spec, zeros: boolean): string {
  // A text with twice as many units as columns needs no fill: don't count a long one.
  const fill = body.length >= 2 * width ? 0 : Math.max(0, width - sign.length - Array.from(body).length)
  if (flags.includes('-')) return sign + body + ' '.repeat(fill)
  return zeros && flags.includes('0') ? sign + '0'.repeat(fill) + body : ' '.repeat(fill) + sign + body
}

function signOf(negative: boolean, flags: string): string {
  return negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
}

function group(text: string, { flags }: Spec): string {
  const [digits = ''] = /[,']/.test(flags) ? (/^\d+/.exec(text) ?? []) : []
  const head = digits.length % 3 || 3
  return digits.slice(0, head) + digits.slice(head).replace(/\d{3}/g, ',$&') + text.slice(digits.length)
}

function toCharacter(arg: unknown): string {
  if (typeof arg !== 'number' && typeof arg !== 'bigint') return truncate(toText(arg ?? ''), 1)
  const code = toInteger(arg)
  return code >= 0n && code <= 0x10ffffn ? String.fromCodePoint(Number(code)) : '\ufffd'
}

/**
 * The integer conversions of one radix. `mark` is what `#` puts before a value, `prefix` what every value gets; without
 * `signed` a negative value shows as the 64 bits that C would see.
 */
function integer(radix: number, signed: boolean, mark = '', prefix = ''): Convert {
  return (arg, spec) => {
    const value = toInteger(arg)
    const negative = signed && value < 0n
    const magnitude = negative ? -value : value < 0n ? BigInt.asUintN(64, value) : value
    // C prints no digit for a zero with precision 0
    const digits = magnitude || spec.precision !== 0 ? magnitude.toString(radix).padStart(spec.precision, '0') : ''
    const marked = spec.flags.includes('#') && (radix === 8 ? !digits.startsWith('0') : magnitude !== 0n)
    const sign = signed ? signOf(negative, spec.flags) : marked ? mark : prefix
    return pad(sign, radix === 10 ? group(digits, spec) : digits, spec, spec.precision < 0)
  }
}

/**
 * The digits of round(x × 10^places), ties to even, from the exact value of the double: toFixed and toExponential round
 * ties up (C prints "%.0f" of 2.5 as 2), stop at 100 digits, and toFixed gives up at 1e21.
 */
function scale(x: number, places: number): string {
  let shift = 0n
  for (; !Number.isInteger(x); x *= 2) shift++
  const top = BigInt(x) * 10n ** BigInt(Math.max(places, 0))
  const bottom = (10n ** BigInt(Math.max(-places, 0))) << shift
  const floor = top / bottom
  const rest = (top % bottom) * 2n
  return String(rest > bottom || (rest === bottom && floor % 2n === 1n) ? floor + 1n : floor)
}

function fixed(x: number, precision: number): string {
  const digits = scale(x, precision).padStart(precision + 1, '0')
  return `${digits.slice(0, digits.length - precision)}.${digits.slice(digits.length - precision)}`
}

function scientific(x: number, precision: number): string {
  // The shortest decimal may have been rounded up to a power of ten (1e23 is 9.99…e22): start one lower.
  let exponent = x === 0 ? 0 : Number(x.toExponential().split('e')[1]) - 1
  let digits = x === 0 ? '0'.repeat(precision + 1) : scale(x, precision - exponent)
  while (digits.length > precision + 1) digits = scale(x, precision - ++exponent)
  return `${digits[0]}.${digits.slice(1)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function general(x: number, precision: number, alternate: boolean): string {
  const last = Math.max(precision, 1) - 1
  const text = scientific(x, last)
  const exponent = Number(text.split('e')[1])
  const best = exponent >= -4 && exponent <= last ? fixed(x, last - exponent) : text
  return alternate ? best : best.replace(/(\.\d*?)0+(?=e|$)/, '$1')
}

function float(layout: (x: number, precision: number, alternate: boolean) => string): Convert {
  return (arg, spec) => {
    const x = toNumber(arg)
    const sign = signOf(x < 0 || Object.is(x, -0), spec.flags)
    if (!Number.isFinite(x)) return pad(sign, Number.isNaN(x) ? 'nan' : 'inf', spec, false)
    const alternate = spec.flags.includes('#')
    const text = layout(Math.abs(x), spec.precision < 0 ? 6 : spec.precision, alternate)
    return pad(sign, group(alternate ? text : text.replace(/\.(?!\d)/, ''), spec), spec, true)
  }
}

const CONVERSIONS = new Map<string, Convert>([
  ['s', (arg, spec) => pad('', truncate(toText(arg), spec.precision), spec, false)],
  ['c', (arg, spec) => pad('', toCharacter(arg), spec, false)],
  ['d', integer(10, true)],
  ['i', integer(10, true)],
  ['u', integer(10, false)],
  ['o', integer(8, false, '0')],
  ['x', integer(16, false, '0x')],
  ['p', integer(16, false, '0x', '0x')],
  ['f', float(fixed)],
  ['e', float(scientific)],
  ['g', float(general)],
])

/**
 * The text of a C format, `%[flags][width][.precision][size]type`, and its arguments. Never throws: a missing argument
 * counts as undefined, an unknown type prints its letter. Never pass a peer's text as `fmt`.
 *
 * @example format('%-6s|%05.1f|%#x', ['ab', 3.14159, 255]) // 'ab    |003.1|0xff'
 */
export function format(fmt: string, args: readonly unknown[]): string {
  let next = 0
  const measure = (field: string) => Number(field === '*' ? toInteger(args[next++]) : field)
  const expand = (all: string, flags: string, width = '0', precision = '-1', type: string): string => {
    if (all === '%s') return toText(args[next++])
    if (type === '') return all
    const columns = measure(width)
    const digits = measure(precision)
    const capital = /[XEG]/.test(type)
    const convert = CONVERSIONS.get(capital ? type.toLowerCase() : type)
    // '%%' too is a type without conversion, which prints its letter and takes no argument
    if (convert === undefined) return type
    const limited = Math.min(digits, type === 's' ? Infinity : MAX_FIELD)
    const spec = { flags: columns < 0 ? `${flags}-` : flags, width: Math.min(Math.abs(columns), MAX_FIELD) }
    const text = convert(args[next++], { ...spec, precision: limited })
    return capital ? text.toUpperCase() : text
  }
  // Fails only for a result longer than the longest possible string
  return attempt(() => toText(fmt).replace(DIRECTIVE, expand), fmt, fmt)
}
