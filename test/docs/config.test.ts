import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import type { CheckedConfig } from '../../lib/web/config/check.ts'
import { toJsonSchema, toReference } from '../../lib/web/config/reference.ts'
import { root } from './tables.ts'

const HEAD = `# Config

What can stand in a JSON5 config file. This page and \`config.schema.json\`, for editors, are made of the schema that checks the
file (\`lib/web/config/schema.ts\`): \`npx vitest run test/docs/config --update\`.

- A **size** is a number of bytes, or text with \`b\`, \`k\`, \`kb\`, \`m\`, \`mb\`, \`g\`, \`gb\`: \`'10 KB'\`; 1k is 1024.
- A **time** is a number of seconds, or text with \`ms\`, \`sec(s)\`, \`min(s)\`, \`hour(s)\`, \`day(s)\`, \`week(s)\`, \`month(s)\`,
  \`year(s)\`: \`'1.5 mins'\`. \`5m\`, \`1h\` and \`30s\` are errors.
- A **count** is a whole number. \`'unlimited'\`, \`'infinite'\`, \`'never'\`, \`'forever'\` and 0 are no limit, or no timer.
- \`\${NAME}\` in any text is replaced from the environment; a name that is not there is an error.
- Defaults are overruled by the file, the file by the environment (\`FIBERWS_LISTEN\`, \`FIBERWS_ENGINE\`,
  \`FIBERWS_WORKERS\`, \`FIBERWS_DATA\` for \`dataDir\`), the environment by flags.
- A key that is not known is a warning, not an error, also where it was meant to protect: look at what \`--check\` prints.
- Relative paths count from the folder of the file. A key with a \`_\` in front is left out.
- \`fiberws --check FILE\` names everything that is wrong, with its place; \`--print-config\` shows what counts; \`--init\` writes a
  file to begin with.

`

describe('the reference of the config', () => {
  it('is that of the schema', async () => {
    await expect(`${HEAD}${[...toReference()].join('\n')}\n`).toMatchFileSnapshot(join(root, 'docs/config.md'))
  })

  it('so is what editors are given', async () => {
    await expect(toJsonSchema()).toMatchFileSnapshot(join(root, 'config.schema.json'))
  })

  it('and so are the types of programs', () => {
    // It compiles: what the schema lets through is a Config.
    const toConfig = (config: CheckedConfig): Config => config
    expect(toConfig({})).toEqual({})
  })
})
