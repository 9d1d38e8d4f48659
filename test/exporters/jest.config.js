/** Real exporters on a made-up capture: `npm run test:exporters`. */
import base from '../../jest.config.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: ['<rootDir>/test/exporters/**/*.test.ts'],
    testPathIgnorePatterns: [],
    testTimeout: 120_000,
    maxWorkers: 1,
    // What is skipped says why in its name.
    verbose: true,
};
