import { defineConfig } from 'vitest/config'

export default defineConfig({
  // As the command does for the modules that it loads.
  resolve: { alias: { fiberws: `${import.meta.dirname}/lib/index.ts` } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/clients/**', '**/node_modules/**'],
    globalSetup: ['test/support/built.ts'],
    setupFiles: ['test/support/suite-log.ts'],
    pool: 'forks',
    // Each file loads the library anew: what is many small files there is one, so it takes half as long.
    deps: { optimizer: { ssr: { enabled: true, include: ['kysely', 'prom-client', 'typebox/schema'] } } },
    // By itself it would leave a core idle: much of what takes long here is waiting.
    poolOptions: { forks: { execArgv: ['--expose-gc'], maxForks: 4, minForks: 1 } },
    testTimeout: 45_000,
  },
})
