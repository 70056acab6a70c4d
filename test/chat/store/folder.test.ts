import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Home } from '../../../lib/chat/home.ts'
import { checkFolder, Folder, type Key } from '../../../lib/chat/store/folder.ts'
import { makeFolder, START } from '../../support/world.ts'
import { Child } from '../child.ts'

const HOUR = 3_600_000
const GIVEN = 'a secret of more than thirty-two bytes'

const openFolder = (path: string): Folder => {
  const folder = new Folder(path)
  onTestFinished(() => folder.close())
  return folder
}
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)
const kids = (keys: readonly Key[]): string[] => keys.map(({ kid }) => kid)

describe('a data folder', () => {
  it('is made, with those around it, for its owner only', () => {
    const path = join(makeFolder(), 'some', 'data')
    const folder = openFolder(path)
    expect(modeOf(path)).toBe('700')
    expect(folder.database).toBe(join(path, 'world.db'))
    expect(existsSync(join(path, 'lock'))).toBe(true)
  })

  it('that was there is for its owner only from now on', () => {
    const path = join(makeFolder(), 'data')
    mkdirSync(path, { mode: 0o755 })
    chmodSync(path, 0o755)
    openFolder(path)
    expect(modeOf(path)).toBe('700')
  })

  it('is refused to a second one, until the first lets go', () => {
    const path = makeFolder()
    const first = new Folder(path)
    expect(() => new Folder(path)).toThrow(`${path}: another process uses this data folder`)
    expect(() => new Folder(path)).toThrow('dataDir')
    first.close()
    openFolder(path)
  })

  it('is refused while another process has it, and works again after kill -9', async () => {
    const path = makeFolder()
    const child = new Child('test/chat/store/hold.ts', path)
    await child.says(1)
    expect(child.lines).toEqual(['held'])
    expect(() => new Folder(path)).toThrow('another process uses this data folder')
    expect(() => new Folder(path)).toThrow('another process uses this data folder')
    await child.kill()
    openFolder(path)
    // The other way round.
    const late = new Child('test/chat/store/hold.ts', path)
    await expect(late.says(1)).rejects.toThrow('another process uses this data folder')
  })

  // Was wrong: whatever keeps the lock from being taken is said to be another process; to stop that helps nobody
  // whose disk is full, or whose lock is damaged.
  it('with a lock that is damaged is not said to be in use', () => {
    const path = makeFolder()
    writeFileSync(join(path, 'lock'), 'no database '.repeat(200))
    expect(() => new Folder(path)).toThrow(/^(?!.*another process)/)
  })

  it.each(['file', 'file/data'])(
    '%s, where there is a file, is said to be none, and the file stays as it is',
    (name) => {
      const base = makeFolder()
      const file = join(base, 'file')
      writeFileSync(file, '', { mode: 0o640 })
      const path = join(base, name)
      const said = `${path} cannot be the data folder: ${file} is a file: name another one with dataDir, or --data`
      expect(() => new Folder(path)).toThrow(said)
      expect(() => checkFolder(path)).toThrow(said)
      expect(modeOf(file)).toBe('640')
    },
  )

  // Node asked on and on, and could not be stopped.
  it.runIf(process.platform === 'linux')('where a system makes none, is refused at once', () => {
    expect(() => new Folder('/proc/fiberws/data')).toThrow('/proc/fiberws/data cannot be the data folder: ENOENT')
  })

  it('can be looked at before it is made', () => {
    const path = join(makeFolder(), 'some', 'data')
    expect(checkFolder(path)).toEqual([dirname(path), path])
    expect(existsSync(dirname(path))).toBe(false)
    openFolder(path)
    expect(checkFolder(path)).toEqual([])
  })

  it('with a file that is no database in it says which, and what to do', () => {
    const path = makeFolder()
    writeFileSync(join(path, 'world.db'), 'no database '.repeat(200))
    expect(() => new Home(path, true, () => {})).toThrow(
      `${join(path, 'world.db')} is not a database: put a copy back, or move it away to begin anew`,
    )
    // It does not keep the folder.
    openFolder(path)
  })
})

describe('keys', () => {
  it('are made once, and kept for their owner only', () => {
    const path = makeFolder()
    const folder = openFolder(path)
    const keys = folder.keys(null, START, HOUR)
    expect(keys).toHaveLength(1)
    expect(keys[0]?.until).toBeNull()
    expect(keys[0]?.kid).toMatch(/^[\da-f]{16}$/)
    expect(Buffer.from(keys[0]?.secret ?? '', 'base64url')).toHaveLength(32)
    expect(modeOf(join(path, 'secrets.json'))).toBe('600')
    expect(folder.keys(null, START + 100 * HOUR, HOUR)).toEqual(keys)
    // Nothing is left lying about.
    expect(readdirSync(path).filter((name) => name.startsWith('secrets'))).toEqual(['secrets.json'])
  })

  it('differ from folder to folder, and their names do not tell them', () => {
    const [one] = openFolder(makeFolder()).keys(null, START, HOUR)
    const [other] = openFolder(makeFolder()).keys(null, START, HOUR)
    expect(one?.secret).not.toBe(other?.secret)
    expect(one?.kid).not.toBe(other?.kid)
    expect(one?.secret).not.toContain(one?.kid)
  })

  it('one that is given is the one in use, by the same name each time', () => {
    const folder = openFolder(makeFolder())
    const keys = folder.keys(GIVEN, START, HOUR)
    expect(keys).toMatchObject([{ secret: GIVEN, until: null }])
    expect(openFolder(makeFolder()).keys(GIVEN, START, HOUR)).toEqual(keys)
    expect(folder.keys(GIVEN, START + 1, HOUR)).toEqual(keys)
  })

  it('one that is replaced is good for the grace, and gone then', () => {
    const folder = openFolder(makeFolder())
    const [old] = folder.keys(null, START, HOUR)
    const keys = folder.keys(GIVEN, START + 10, HOUR)
    expect(keys).toEqual([
      { kid: keys[0]?.kid, secret: GIVEN, until: null },
      { ...old, until: START + 10 + HOUR },
    ])
    // Its end is not put off by looking.
    expect(folder.keys(GIVEN, START + HOUR, HOUR)).toEqual(keys)
    expect(folder.keys(GIVEN, START + 9 + HOUR, HOUR)).toEqual(keys)
    expect(folder.keys(GIVEN, START + 10 + HOUR, HOUR)).toEqual([keys[0]])
  })

  it('several are replaced one after another, the one in use first', () => {
    const folder = openFolder(makeFolder())
    const [first] = folder.keys(null, START, HOUR)
    const [second] = folder.keys(GIVEN, START + 1, HOUR)
    const third = folder.keys(`another ${GIVEN}`, START + 2, HOUR)
    expect(third.slice(1)).toEqual([
      { ...second, until: START + 2 + HOUR },
      { ...first, until: START + 1 + HOUR },
    ])
    // Back to the second: it is in use again, and listed once.
    const back = folder.keys(GIVEN, START + 3, HOUR)
    expect(kids(back)).toEqual([second?.kid, third[0]?.kid, first?.kid])
    expect(back.map(({ until }) => until)).toEqual([null, START + 3 + HOUR, START + 1 + HOUR])
    expect(folder.keys(null, START + 4, HOUR)).toEqual(back)
  })

  it('a file that was readable to others is not when it is written anew', () => {
    const path = makeFolder()
    const folder = openFolder(path)
    folder.keys(null, START, HOUR)
    chmodSync(join(path, 'secrets.json'), 0o644)
    folder.keys(GIVEN, START, HOUR)
    expect(modeOf(join(path, 'secrets.json'))).toBe('600')
  })

  it.each([
    ['not as it was written', '{}'],
    ['not as it was written', '[]'],
    ['not as it was written', 'null'],
    ['not as it was written', '{"jwt":"abc"}'],
    ['not as it was written', '{"jwt":[{"kid":"a","secret":5,"until":null}]}'],
    ['not as it was written', '{"jwt":[{"kid":"a","secret":"b"}]}'],
    ['not as it was written', '{"jwt":[null]}'],
  ])('secrets.json that is %s: %s', (text, content) => {
    const path = makeFolder()
    writeFileSync(join(path, 'secrets.json'), content)
    expect(() => openFolder(path).keys(null, START, HOUR)).toThrow(`${join(path, 'secrets.json')} is ${text}`)
    expect(readFileSync(join(path, 'secrets.json'), 'utf8')).toBe(content)
  })

  // Was wrong: what is no JSON gives the bare error of JSON.parse, which names no file...
  it.each(['', '{"jwt":[{"kid":"aa","secret":"verysecretvalue', 'verysecretvalue'])(
    'secrets.json that is cut off is not as it was written: %s',
    (content) => {
      const path = makeFolder()
      writeFileSync(join(path, 'secrets.json'), content)
      expect(() => openFolder(path).keys(null, START, HOUR)).toThrow(join(path, 'secrets.json'))
    },
  )

  // …and cited the file, which is a secret, on the console and in the log.
  it('an error does not tell what is in secrets.json', () => {
    const path = makeFolder()
    writeFileSync(join(path, 'secrets.json'), 'verysecretvalue')
    let told = ''
    try {
      openFolder(path).keys(null, START, HOUR)
    } catch (error) {
      told = String(error)
    }
    expect(told).not.toBe('')
    expect(told).not.toContain('verysecret')
  })
})

describe('the key of links', () => {
  it('is made once, beside the others, which stay as they are', () => {
    const path = makeFolder()
    const folder = openFolder(path)
    const keys = folder.keys(null, START, HOUR)
    const key = folder.linkKey()
    expect(Buffer.from(key, 'base64url')).toHaveLength(32)
    expect(keys[0]?.secret).not.toBe(key)
    expect(folder.linkKey()).toBe(key)
    expect(folder.keys(null, START, HOUR)).toEqual(keys)
    // Nor does a key that is replaced take it along.
    folder.keys(GIVEN, START + 1, HOUR)
    expect(folder.linkKey()).toBe(key)
    expect(modeOf(join(path, 'secrets.json'))).toBe('600')
    expect(readdirSync(path).filter((name) => name.startsWith('secrets'))).toEqual(['secrets.json'])
  })

  it('can be the first that there is, and is there for the next process', () => {
    const path = makeFolder()
    const first = new Folder(path)
    const key = first.linkKey()
    const keys = first.keys(null, START, HOUR)
    first.close()
    const next = openFolder(path)
    expect(next.linkKey()).toBe(key)
    expect(next.keys(null, START, HOUR)).toEqual(keys)
  })

  it('differs from folder to folder', () => {
    expect(openFolder(makeFolder()).linkKey()).not.toBe(openFolder(makeFolder()).linkKey())
  })

  it('is added to a file that was written before there was one', () => {
    const path = makeFolder()
    const [kid, secret] = ['aa', GIVEN]
    writeFileSync(join(path, 'secrets.json'), JSON.stringify({ jwt: [{ kid, secret, until: null }] }))
    const folder = openFolder(path)
    const key = folder.linkKey()
    expect(folder.linkKey()).toBe(key)
    expect(folder.keys(null, START, HOUR)).toEqual([{ kid, secret, until: null }])
  })

  it.each(['{', '{"links":"abc"}', '{"jwt":[],"links":5}', '{"jwt":[],"links":["abc"]}'])(
    'in a file that is not as it was written is not made anew: %s',
    (content) => {
      const path = makeFolder()
      writeFileSync(join(path, 'secrets.json'), content)
      const said = `${join(path, 'secrets.json')} is not as it was written`
      expect(() => new Home(path, true, () => {})).toThrow(said)
      // It does not keep the folder.
      expect(() => openFolder(path).linkKey()).toThrow(said)
      expect(readFileSync(join(path, 'secrets.json'), 'utf8')).toBe(content)
    },
  )
})

describe('tokens that nobody has chosen', () => {
  it('are made once for each name, and kept for its owner only', () => {
    const path = makeFolder()
    const folder = new Folder(path)
    const first = folder.tokenOf('out')
    expect(first.token).toMatch(/^[\w-]{43}$/)
    expect(first.made).toBe(true)
    const second = folder.tokenOf('in')
    expect(second).toMatchObject({ made: true })
    expect(second.token).not.toBe(first.token)
    expect(folder.tokenOf('out')).toEqual({ token: first.token, made: false })
    folder.close()
    const again = openFolder(path)
    expect(again.tokenOf('out')).toEqual({ token: first.token, made: false })
    expect(modeOf(join(path, 'secrets.json'))).toBe('600')
  })

  it('leave the keys as they are, and the other way round', () => {
    const folder = openFolder(makeFolder())
    const { token } = folder.tokenOf('out')
    const [key] = folder.keys(null, START, HOUR)
    const link = folder.linkKey()
    expect(folder.tokenOf('in').made).toBe(true)
    expect(folder.keys(null, START, HOUR)).toEqual([key])
    expect([folder.linkKey(), folder.tokenOf('out')]).toEqual([link, { token, made: false }])
  })

  it('have any name, also one that every object has', () => {
    const path = makeFolder()
    const folder = new Folder(path)
    const names = ['constructor', '__proto__', 'toString', '']
    const made = names.map((name) => folder.tokenOf(name))
    expect(made.map((one) => one.made)).toEqual([true, true, true, true])
    folder.close()
    const again = openFolder(path)
    expect(names.map((name) => again.tokenOf(name))).toEqual(made.map(({ token }) => ({ token, made: false })))
  })

  it('of a file of before there were any are none yet; of one that says something else it is refused', () => {
    const path = makeFolder()
    const file = join(path, 'secrets.json')
    const folder = openFolder(path)
    writeFileSync(file, JSON.stringify({ jwt: [], links: null }))
    expect(folder.tokenOf('out').made).toBe(true)
    for (const tokens of [{ out: 1 }, null, 'out']) {
      writeFileSync(file, JSON.stringify({ jwt: [], links: null, tokens }))
      expect(() => folder.tokenOf('out')).toThrow('is not as it was written')
    }
  })
})
