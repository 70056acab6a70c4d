import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/clients/**', '**/node_modules/**'],
    globalSetup: ['test/support/built.ts'],
    setupFiles: ['test/support/suite-log.ts'],
    pool: 'forks',
    // By itself it would leave a core idle: much of what takes long here is waiting.
    poolOptions: { forks: { execArgv: ['--expose-gc'], maxForks: 3, minForks: 1 } },
    testTimeout: 45_000,
  },
})
