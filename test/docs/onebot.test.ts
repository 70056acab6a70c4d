import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../lib/onebot/actions/table.ts'
import { root } from './tables.ts'

const FILE = 'docs/onebot.md'

describe('docs/onebot.md', () => {
  it('has the table of actions that code has', async () => {
    const page = readFileSync(join(root, FILE), 'utf8')
    const does = { does: '', constant: 'says the same always', unsupported: 'not there: 1404' } as const
    const rows = [...ACTIONS.values()].map(
      (action) =>
        `| \`${action.name}\` | ${action.takes.map((key) => `\`${key}\``).join(', ')} | ${does[action.does]} |`,
    )
    const table = ['| Action | Parameters | Here |', '| - | - | - |', ...rows].join('\n')
    const next = page.replace(/(<!-- actions:.*? -->\n).*?(<!-- \/actions -->)/s, `$1\n${table}\n\n$2`)
    const options = await resolveConfig(join(root, FILE))
    await expect(await format(next, { ...options, parser: 'markdown' })).toMatchFileSnapshot(join(root, FILE))
  })
})
