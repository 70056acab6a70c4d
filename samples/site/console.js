// An echo console: every message comes back as it went, in order, so the oldest one sent is the one that returns.

const state = document.querySelector('#state')
const log = document.querySelector('#log')
const form = document.querySelector('form')
const text = document.querySelector('input')
const [sendText, sendBinary, sendLarge, toggle] = document.querySelectorAll('button')

const url = new URL('/echo', location.href)
url.protocol = url.protocol.replace('http', 'ws')
document.querySelector('#url').textContent = url.href

/** @type {WebSocket} */
let socket
/** What has been sent and is not back. @type {{ data: string | ArrayBuffer, at: number }[]} */
let waiting = []

function connect() {
  waiting = []
  show('connecting')
  socket = new WebSocket(url, 'chat')
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => {
    show('open')
    write('open', `open, sub-protocol ${socket.protocol}`)
  })
  socket.addEventListener('message', (/** @type {MessageEvent<string | ArrayBuffer>} */ { data }) => receive(data))
  socket.addEventListener('close', ({ code, reason }) => {
    show('closed')
    write('closed', `closed, code ${code}, ${reason === '' ? 'no reason' : `reason '${reason}'`}`)
  })
}

/** @param {string | ArrayBuffer} data */
function send(data) {
  write('sent', `→ ${describe(data)}`)
  waiting.push({ data, at: performance.now() })
  socket.send(data)
}

/** @param {string | ArrayBuffer} data */
function receive(data) {
  const now = performance.now()
  const sent = waiting.shift()
  const same = sent !== undefined && isSame(sent.data, data)
  const verdict = same ? `round trip ${(now - sent.at).toFixed(1)} ms` : 'not what was sent'
  write(same ? 'echo' : 'wrong', `← ${describe(data)}, ${verdict}`)
}

/** @param {string | ArrayBuffer} sent @param {string | ArrayBuffer} received */
function isSame(sent, received) {
  if (typeof sent === 'string' || typeof received === 'string') return sent === received
  const bytes = new Uint8Array(received)
  return sent.byteLength === bytes.length && new Uint8Array(sent).every((byte, i) => byte === bytes[i])
}

/** @param {string | ArrayBuffer} data */
function describe(data) {
  if (typeof data !== 'string') return `binary, ${formatSize(data.byteLength)}`
  const size = formatSize(new TextEncoder().encode(data).length)
  return `text, ${size}, '${data.slice(0, 80)}${data.length > 80 ? '…' : ''}'`
}

/** @param {number} bytes */
function formatSize(bytes) {
  if (bytes >= 1 << 20) return `${bytes / (1 << 20)} MB`
  return bytes >= 1 << 10 ? `${(bytes / (1 << 10)).toFixed(1)} KB` : `${bytes} B`
}

/** @param {number} length */
function randomBytes(length) {
  const buffer = new ArrayBuffer(length)
  // 64 KB is all that a browser gives at a time.
  for (let at = 0; at < length; at += 65536) {
    crypto.getRandomValues(new Uint8Array(buffer, at, Math.min(65536, length - at)))
  }
  return buffer
}

/** @param {'connecting' | 'open' | 'closing' | 'closed'} name */
function show(name) {
  state.textContent = name
  state.className = name
  for (const button of [sendText, sendBinary, sendLarge]) button.disabled = name !== 'open'
  toggle.textContent = name === 'closed' ? 'Connect' : 'Disconnect'
}

/** A line of the log. @param {string} kind @param {string} line */
function write(kind, line) {
  const follow = log.scrollHeight - log.scrollTop - log.clientHeight < 40
  const time = document.createElement('time')
  time.textContent = new Date().toLocaleTimeString('en-GB')
  const item = document.createElement('li')
  item.className = kind
  item.append(time, line)
  log.append(item)
  if (log.childElementCount > 500) log.firstElementChild.remove()
  if (follow) log.scrollTop = log.scrollHeight
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  if (socket.readyState === WebSocket.OPEN) send(text.value)
})
sendBinary.addEventListener('click', () => send(randomBytes(1 << 10)))
sendLarge.addEventListener('click', () => send(randomBytes(16 << 20)))
toggle.addEventListener('click', () => {
  if (socket.readyState === WebSocket.CLOSED) return connect()
  show('closing')
  socket.close(1000, 'closed by the page')
})
connect()
