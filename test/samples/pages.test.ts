import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled } from '../clients/support.ts'
import { serve } from './support.ts'

const CHROMIUM = '/usr/bin/chromium'

describe.skipIf(!isInstalled('chromium', existsSync(CHROMIUM)))('the pages of the samples', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu'] })
  }, 60_000)
  afterAll(() => browser.close())

  it('room: two tabs, and nothing that people write is markup', async () => {
    const sample = serve('room', 'node')
    const url = `http://127.0.0.1:${await sample.port()}/`
    async function join(name: string): Promise<Page> {
      const page = await browser.newPage()
      await page.goto(url)
      await page.getByLabel('Name').fill(name)
      await page.getByRole('button', { name: 'Join' }).click()
      return page
    }
    const line = (page: Page, text: string): Promise<void> =>
      page.getByRole('log').getByText(text, { exact: true }).waitFor()

    const ada = await join('<b>Ada</b>')
    await line(ada, '* <b>Ada</b> has joined, 1 here')
    const bob = await join('Bob')
    await line(ada, '* Bob has joined, 2 here')
    const markup = `<img src=x onerror="document.title = 'owned'">`
    await ada.getByLabel('Message').fill(markup)
    await ada.getByRole('button', { name: 'Send' }).click()
    for (const page of [ada, bob]) {
      await line(page, `<b>Ada</b>: ${markup}`)
      expect(await page.locator('ol :not(li)').count()).toBe(0)
      expect(await page.title()).toBe('fiberws room')
    }
    expect(await ada.getByLabel('Message').inputValue()).toBe('')
    await bob.close()
    await line(ada, '* Bob has left, 1 here')
    await sample.stop()
    await line(ada, '* closed, code 1001')
    await ada.getByRole('button', { name: 'Join' }).waitFor()
  })

  it('upload: a file', async () => {
    const sample = serve('upload', 'node')
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${await sample.port()}/`)
    for (const buffer of [Buffer.alloc(2 << 20, 'some bytes, '), Buffer.alloc(0)]) {
      await page.getByLabel('A file').setInputFiles({ name: 'file', mimeType: 'application/octet-stream', buffer })
      const sha256 = createHash('sha256').update(buffer).digest('hex')
      await page.getByText(`file: {"sha256":"${sha256}","bytes":${buffer.length},`).waitFor()
      expect(await page.getByRole('progressbar').count()).toBe(0)
    }
    await sample.stop()
  })
})
