// A browser sends a file of any size as one message, and reads it from the disk as it goes.

const input = document.querySelector('input')
const progress = document.querySelector('progress')
const output = document.querySelector('output')

/** @param {File} file */
function upload(file) {
  const url = new URL('/upload', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = new WebSocket(url)
  let result = 'failed'
  let timer = 0
  socket.addEventListener('open', () => {
    socket.send(file)
    timer = setInterval(() => (progress.value = file.size - socket.bufferedAmount), 100)
  })
  socket.addEventListener('message', (/** @type {MessageEvent<string>} */ { data }) => {
    result = data
    socket.close()
  })
  socket.addEventListener('close', () => {
    clearInterval(timer)
    progress.hidden = true
    output.textContent = `${file.name}: ${result}`
  })
}

input.addEventListener('change', () => {
  const file = input.files.item(0)
  if (file === null) return
  progress.max = file.size
  progress.value = 0
  progress.hidden = false
  output.textContent = ''
  upload(file)
})
