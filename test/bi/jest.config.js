/** Programs that people look at figures with, really run: `npm run test:bi`. */
import base from '../../jest.config.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: ['<rootDir>/test/bi/**/*.test.ts'],
    testPathIgnorePatterns: [],
    // Superset alone takes a minute to start.
    testTimeout: 900_000,
    maxWorkers: 1,
    verbose: true,
};
