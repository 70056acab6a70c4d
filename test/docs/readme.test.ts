import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { patiently } from '../support/patience.ts'
import { Service } from '../support/service.ts'
import { root } from './tables.ts'

const folder = mkdtempSync(join(tmpdir(), 'fiberws-readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Blocks of code below a heading, by their language. */
function blocks(heading: string, language: string): string[] {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  return Array.from(section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)).flatMap(([, kind, code]) =>
    kind === language && code !== undefined ? [code] : [],
  )
}

const has = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('the README on the gateway', () => {
  // The commands are curl's.
  it.runIf(has('curl') && has('bash'))('register, log in, connect, post', { timeout: 60_000 }, async () => {
    const [commands = ''] = blocks('The gateway', 'sh')
    const [program = ''] = blocks('The gateway', 'ts')
    expect(commands).toContain('/auth/register')
    const config = join(folder, 'web.json5')
    writeFileSync(config, `{ web: { listen: 'http://127.0.0.1:0', routes: [{ match: '/ws', handler: 'gateway' }] } }`)
    const server = new Service([config])
    const port = await server.port()
    const here = (text: string): string => text.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'listen.ts'), here(program).replace("'./lib/", `'${root}/lib/`))
    writeFileSync(
      join(folder, 'commands.sh'),
      // The program is there before the message is.
      here(commands)
        .replace('npx tsx listen.ts', `node --import ${join(root, 'node_modules/tsx/dist/loader.mjs')} listen.ts`)
        .replace('sleep 2', 'read _'),
    )
    const shell = spawn('bash', ['commands.sh'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    let hear: () => void = () => {}
    shell.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      hear()
    })
    const until = (text: string): Promise<void> =>
      patiently(
        new Promise((resolve) => {
          hear = () => {
            if (said.includes(text)) resolve()
          }
          hear()
        }),
        () => said,
      )
    await until('"t":"READY"')
    shell.stdin.write('go\n')
    await until('"t":"MESSAGE_CREATE"')
    // And the answer to the post itself.
    await until('\n{"id":')
    expect(said.match(/"content":"fog at six"/g)?.length).toBeGreaterThan(0)
    shell.kill()
    server.child.kill('SIGTERM')
    expect(await server.exit).toBe(0)
  })
})
