/** Real clients of devices against a real server: `npm run test:live`. */
import base from '../../jest.config.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: ['<rootDir>/test/live/**/*.test.ts'],
    testPathIgnorePatterns: [],
    testTimeout: 120_000,
    maxWorkers: 1,
    // What is skipped says why in its name.
    verbose: true,
};
