import { expect, it } from 'vitest'
import { commandOf, Program } from './support.ts'

it('a person, a bot as of NapCat and one as of go-cqhttp talk to each other', { timeout: 60_000 }, async () => {
  const talk = new Program(`${commandOf('onebot')} free`)
  expect(await talk.ended, talk.said).toBe('exit code 0')
  const lines = talk.said.split('\n').filter((line) => /^(?:\d| {4})/.test(line))
  expect(lines).toEqual([
    '1 ada: @keeper how many cups are left?',
    '    calls keeper',
    '2 keeper: @ada three cups. @courier bring more, please',
    '    answers 1, calls courier, ada',
    '3 courier: @keeper on my way [face 76]',
    '    answers 2, calls keeper',
  ])
})
