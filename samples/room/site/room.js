// What people have written goes into the page as text: no name and no message can be markup.

const [join, say] = document.querySelectorAll('form')
const [who, where, text] = document.querySelectorAll('input')
const log = document.querySelector('ol')

/** @type {WebSocket} */
let socket

/** @param {string} line */
function write(line) {
  const item = document.createElement('li')
  item.textContent = line
  log.append(item)
  item.scrollIntoView({ block: 'nearest' })
}

/** @param {boolean} isIn */
function show(isIn) {
  join.hidden = isIn
  say.hidden = !isIn
}

join.addEventListener('submit', (event) => {
  event.preventDefault()
  const url = new URL('/room', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('name', who.value)
  url.searchParams.set('room', where.value)
  socket = new WebSocket(url)
  socket.addEventListener('open', () => show(true))
  socket.addEventListener('message', (/** @type {MessageEvent<string>} */ { data }) => write(data))
  socket.addEventListener('close', ({ code }) => {
    show(false)
    write(`* closed, code ${code}`)
  })
})

say.addEventListener('submit', (event) => {
  event.preventDefault()
  socket.send(text.value)
  text.value = ''
})
