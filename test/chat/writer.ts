import { writeSync } from 'node:fs'
import { Folder } from '../../lib/chat/store/folder.ts'
import { World } from '../../lib/chat/world.ts'

/*
 * Posts to a channel in batches, as fast as it can, until it is killed: writes the id of each message once it is told
 * that the message is stored, as a line of its own.
 */

const [path = '', author = '', channel = '', direct = ''] = process.argv.slice(2)
const folder = new Folder(path)
const world = new World({
  folder: path,
  file: folder.database,
  linkKey: 'a key of this test',
  full: false,
  now: Date.now,
  failed: (what, error) => console.error(what, error),
})

let count = 0
const postMany = (): void => {
  for (let i = 0; i < 20; i++) {
    const number = ++count
    const content = `${number}`
    world.changes.submit(
      () => {
        const message =
          number % 3 === 0
            ? world.directs.post(author, direct, { content })
            : world.messages.post(author, channel, { content, replyTo: null })
        // Some fail in between.
        if (i % 7 === 6) throw new Error('fails on purpose')
        return message
      },
      // At once: what is said is with the system, whatever becomes of this process.
      (outcome) => void (outcome.ok && writeSync(1, `${outcome.value.id} ${outcome.value.num}\n`)),
    )
  }
  setImmediate(postMany)
}
postMany()
