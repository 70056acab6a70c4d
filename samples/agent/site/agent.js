// A chat with an agent, whose answers grow while they come. After a reload, or a connection that was lost, it goes on where it was.

/** @typedef {{ stream: string, text: string, kind: string }} Line of the log */
/** @typedef {{ client: string, chat: string | null, index: number, lines: Line[] }} Kept What is kept for a reload: who we are, which chat, the number of the last frame that we have */
/** @typedef {{ event: string, text?: string, stream_id?: string, chat_id?: string, index?: number, resumed?: boolean }} Frame */

const state = document.querySelector('#state')
const log = document.querySelector('#log')
const form = document.querySelector('form')
const text = document.querySelector('input')
const [send, stopButton] = document.querySelectorAll('button')

// This page has written it.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const kept = /** @type {Kept} */ (JSON.parse(sessionStorage.getItem('agent') ?? '{"chat":null,"index":0,"lines":[]}'))
kept.client ??= `page-${crypto.randomUUID()}`

/** @type {WebSocket} */
let socket
/** Answers that grow, by the stream that they come in. @type {Map<string, { line: Line, item: HTMLElement }>} */
const growing = new Map()

/** Exported, so that editors know this for a module: its names are its own. */
export function connect() {
  const url = new URL('/agent', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('client_id', kept.client)
  url.searchParams.set('resume', kept.chat ?? '1')
  url.searchParams.set('index', String(kept.index))
  socket = new WebSocket(url)
  socket.addEventListener('message', (/** @type {MessageEvent<string>} */ { data }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    hear(/** @type {Frame} */ (JSON.parse(data)))
    sessionStorage.setItem('agent', JSON.stringify(kept))
  })
  socket.addEventListener('close', () => {
    show('lost, connecting again')
    setTimeout(connect, 500 + Math.random() * 500)
  })
}

/** @param {Frame} frame */
function hear({ event, text: said = '', stream_id: stream = '', chat_id: chat, index, resumed }) {
  if (event === 'ready') {
    if (kept.chat !== null && resumed !== true) write('', '(some of it is lost)')
    kept.chat = chat ?? null
    show('open')
  } else if (event === 'delta') {
    const { line, item } = growing.get(stream) ?? write(stream, '')
    line.text += said
    item.textContent = line.text
  } else if (event === 'stream_end') growing.delete(stream)
  else if (event === 'message') write('', said)
  kept.index = index ?? kept.index
}

/** @param {string} name */
function show(name) {
  state.textContent = name
  send.disabled = stopButton.disabled = name !== 'open'
}

/** A line of the log, also for after a reload. @param {string} stream @param {string} words */
function write(stream, words, kind = '') {
  const line = { stream, text: words, kind }
  kept.lines.push(line)
  return paint(line)
}

/** @param {Line} line */
function paint(line) {
  const item = document.createElement('li')
  item.className = line.kind
  item.textContent = line.text
  log.append(item)
  const shown = { line, item }
  if (line.stream !== '') growing.set(line.stream, shown)
  return shown
}

/** Said under a name: where the connection is lost just now, it could be said again, and is asked once. @param {string} content */
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
stopButton.addEventListener('click', () => {
  say('/stop')
})

for (const line of kept.lines) paint(line)
connect()
