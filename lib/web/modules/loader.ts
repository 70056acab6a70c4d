import { readFile } from 'node:fs/promises'
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'

/*
 * Hooks for node's loader, for the modules of routes. Their 'fiberws' is the program that runs, wherever they lie and whatever
 * is installed there: handles of another one would be none to this. TypeScript is compiled as it is loaded, whatever its
 * folder's package.json says about "type"; tsx would load a second program where that is not "module".
 */

/** Files that are compiled; always ES modules. */
const TYPESCRIPT = /\.m?ts$/

/** The URL of this program. */
let own = ''

export const initialize: InitializeHook<{ readonly own: string }> = (data) => {
  own = data.own
}

export const load: LoadHook = async (url, context, next) => {
  if (!TYPESCRIPT.test(url)) return next(url, context)
  // Here, for the process itself needs it nowhere.
  const { transform } = await import('esbuild')
  const file = fileURLToPath(url)
  const { code } = await transform(await readFile(file, 'utf8'), {
    loader: 'ts',
    target: 'node20',
    sourcefile: file,
    sourcemap: 'inline',
    // What a folder's tsconfig.json says is for its editor: here each file stands for itself.
    tsconfigRaw: '{}',
  })
  return { format: 'module', source: code, shortCircuit: true }
}

/** TypeScript may name a file as what it is compiled to: './x.js' is './x.ts' where there is no such file. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier === 'fiberws') return next(own, context)
  try {
    return await next(specifier, context)
  } catch (error) {
    const source = specifier.replace(/\.(m?)js$/, '.$1ts')
    if (!specifier.startsWith('.') || source === specifier || !TYPESCRIPT.test(context.parentURL ?? '')) throw error
    return next(source, context)
  }
}
