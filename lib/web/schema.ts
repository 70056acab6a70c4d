import Type from 'typebox'

/** The shape of a config file. What its sizes and times may say is checked when they are converted. */

const Measure = Type.Union([Type.Number(), Type.String()])
const Strings = Type.Array(Type.String())
const StringOrStrings = Type.Union([Type.String(), Strings])

const RouteSchema = Type.Partial(
  Type.Object({
    match: Type.String(),
    handler: Type.Union([Type.Literal('file'), Type.Literal('action')]),
    module: Type.String(),
    documents: Type.String(),
    partial: Type.Boolean(),
    origins: Strings,
  }),
)

const WebSchema = Type.Partial(
  Type.Object({
    engine: Type.Union([Type.Literal('auto'), Type.Literal('uws'), Type.Literal('node')]),
    listen: StringOrStrings,
    documents: Type.String(),
    index: Type.String(),
    webSockets: Type.Partial(
      Type.Object({
        protocol: Type.Union([Type.String(), Strings, Type.Null()]),
        ping: Measure,
        validateUTF: Type.Boolean(),
        compression: Type.Union([Type.Literal(false), Type.Literal(true), Type.Literal('takeover')]),
      }),
    ),
    limits: Type.Partial(
      Type.Object({
        header: Measure,
        body: Measure,
        connections: Measure,
        requests: Measure,
        maxMessage: Measure,
        maxFrame: Measure,
        maxBackpressure: Measure,
        maxQueue: Measure,
      }),
    ),
    timeouts: Type.Partial(
      Type.Object({
        parse: Measure,
        request: Measure,
        inactivity: Measure,
        drain: Measure,
      }),
    ),
    routes: Type.Array(RouteSchema),
  }),
)

export const ConfigSchema = Type.Partial(
  Type.Object({
    web: WebSchema,
    tls: Type.Object({ certificate: Type.String(), key: Type.String() }),
  }),
)

/** Keys of `value` that the schema does not know, as dotted paths. */
export function unknownKeys(schema: unknown, value: unknown, path = ''): string[] {
  if (!isRecord(schema) || typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, i) => unknownKeys(schema['items'], item, `${path}[${i}]`))
  const { properties } = schema
  if (!isRecord(properties)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = path === '' ? key : `${path}.${key}`
    return Object.hasOwn(properties, key) ? unknownKeys(properties[key], inner, name) : [name]
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
