// A chat with an agent, whose answers grow while they come. After a reload, or a connection that was lost, it goes on where it was.

const state = document.querySelector('#state')
const log = document.querySelector('#log')
const form = document.querySelector('form')
const text = document.querySelector('input')
const [send, stop] = document.querySelectorAll('button')

/** What is kept for a reload: who we are, which chat, and the number of the last frame that we have. */
const kept = JSON.parse(sessionStorage.getItem('agent') ?? 'null') ?? {
  client: `page-${crypto.randomUUID()}`,
  chat: null,
  index: 0,
  lines: [],
}

/** @type {WebSocket} */
let socket
/** Answers that grow, by the stream that they come in. @type {Map<string, HTMLElement>} */
const growing = new Map()

function connect() {
  const url = new URL('/agent', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('client_id', kept.client)
  url.searchParams.set('resume', kept.chat ?? '1')
  url.searchParams.set('index', String(kept.index))
  socket = new WebSocket(url)
  socket.addEventListener('message', ({ data }) => hear(JSON.parse(data)))
  socket.addEventListener('close', () => {
    show('lost, connecting again')
    setTimeout(connect, 500 + Math.random() * 500)
  })
}

/** @param {{ event: string, text?: string, stream_id?: string, chat_id?: string, index?: number, resumed?: boolean }} frame */
function hear({ event, text: said = '', stream_id: stream = '', chat_id: chat, index, resumed }) {
  if (event === 'ready') {
    if (kept.chat !== null && !resumed) write('', '(a new chat: the old one is gone)')
    kept.chat = chat
    show('open')
  } else if (event === 'delta') {
    const line = growing.get(stream) ?? write(stream, '')
    growing.set(stream, line)
    line.textContent += said
    kept.lines.find((one) => one.stream === stream).text += said
  } else if (event === 'stream_end') growing.delete(stream)
  else if (event === 'message') write('', said)
  kept.index = index ?? kept.index
  sessionStorage.setItem('agent', JSON.stringify(kept))
}

/** @param {string} name */
function show(name) {
  state.textContent = name
  send.disabled = stop.disabled = name !== 'open'
}

/** A line of the log, also for after a reload. @param {string} stream @param {string} words @param {string} kind */
function write(stream, words, kind = '') {
  kept.lines.push({ stream, text: words, kind })
  return paint({ stream, text: words, kind })
}

/** @param {{ stream: string, text: string, kind: string }} line */
function paint({ text: words, kind }) {
  const item = document.createElement('li')
  item.className = kind
  item.textContent = words
  log.append(item)
  return item
}

/** Said under a name: where the connection is lost just now, it can be said again, and is asked once. @param {string} content */
function say(content) {
  socket.send(JSON.stringify({ id: crypto.randomUUID(), content }))
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  write('', text.value, 'mine')
  say(text.value)
  text.value = ''
})
stop.addEventListener('click', () => say('/stop'))

for (const line of kept.lines) growing.set(line.stream, paint(line))
growing.delete('')
connect()
