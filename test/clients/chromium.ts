import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { isInstalled } from './support.ts'

const CHROMIUM = '/usr/bin/chromium'
export const installed = isInstalled('chromium', existsSync(CHROMIUM))

/** Chromium without a window, that asks nobody for anything. */
export const launch = (...args: readonly string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
