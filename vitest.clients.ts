import { defineConfig } from 'vitest/config'

/** Real third-party clients: `npm run test:clients`. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
  },
})
