import { register } from 'node:module'

// Where this file runs from its source, somebody compiles already, and programs import that source.
let registered = import.meta.url.endsWith('.ts')

/** Modules get this program as 'fiberws', wherever they lie, and are compiled as they are loaded. */
export async function importModule(url: string): Promise<unknown> {
  if (!registered) {
    registered = true
    const own = new URL('../../index.js', import.meta.url).href
    register('./loader.js', { parentURL: import.meta.url, data: { own } })
  }
  return import(url)
}
