import { readFile } from 'node:fs/promises'
import type { LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'

/*
 * Hooks for node's loader: TypeScript outside of this program, compiled as it is loaded. They touch nothing else, so that
 * a module's 'fiberws' is the one that runs, whatever its folder's package.json says about "type". tsx loads a second one
 * where that is not "module", and handles of one would be none to the other.
 */

/** Files that the hooks compile; always ES modules. */
export const TYPESCRIPT = /\.m?ts$/

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
  try {
    return await next(specifier, context)
  } catch (error) {
    const source = specifier.replace(/\.(m?)js$/, '.$1ts')
    if (!specifier.startsWith('.') || source === specifier || !TYPESCRIPT.test(context.parentURL ?? '')) throw error
    return next(source, context)
  }
}
