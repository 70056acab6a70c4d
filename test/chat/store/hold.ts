import { Folder } from '../../../lib/chat/store/folder.ts'

/* Uses a data folder until it is killed: says 'held' once it has it. */

const [path = ''] = process.argv.slice(2)
const folder = new Folder(path)
process.stdout.write('held\n')
// Keeps the process, and the folder with it.
process.stdin.once('data', () => folder.close())
