import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../lib/onebot/actions/table.ts'
import { GO_CQHTTP, NAPCAT, STANDARD, WORDS } from './onebot-words.ts'
import { root } from './tables.ts'

const FILE = 'docs/onebot.md'

describe('docs/onebot.md', () => {
  it('says of each action what it does here, and of no other', () => {
    const done = [...ACTIONS.values()].filter(({ does }) => does !== 'unsupported').map(({ name }) => name)
    expect(Object.keys(WORDS).toSorted()).toEqual(done.toSorted())
  })

  it('has all that OneBot 11, NapCat and go-cqhttp have', () => {
    const all = [...STANDARD, ...NAPCAT, ...GO_CQHTTP]
    expect(all.filter((name) => !ACTIONS.has(name))).toEqual([])
  })

  it('has the table of actions that code has', async () => {
    const page = readFileSync(join(root, FILE), 'utf8')
    const parts = { does: '', constant: 'constant: ', unsupported: 'not there: 1404' } as const
    const has = (set: ReadonlySet<string>, name: string): string => (set.has(name) ? '✓' : '')
    const rows = [...ACTIONS.values()].map(({ name, takes, does }) =>
      [
        `\`${name}\``,
        has(STANDARD, name),
        has(NAPCAT, name),
        has(GO_CQHTTP, name),
        `${parts[does]}${does === 'unsupported' ? '' : WORDS[name]}`,
        takes.map((key) => `\`${key}\``).join(', '),
      ].join(' | '),
    )
    const head = '| Action | OneBot 11 | NapCat | go-cqhttp | Here | Parameters |'
    const table = [head, '| - | - | - | - | - | - |', ...rows.map((row) => `| ${row} |`)].join('\n')
    const next = page.replace(/(<!-- actions:.*? -->\n).*?(<!-- \/actions -->)/s, `$1\n${table}\n\n$2`)
    const options = await resolveConfig(join(root, FILE))
    await expect(await format(next, { ...options, parser: 'markdown' })).toMatchFileSnapshot(join(root, FILE))
  })
})
