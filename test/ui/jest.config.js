/** Tests in a real Chromium: `npm run test:ui`. One after the other: a browser takes what the machine has. */
import base from '../../jest.config.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: ['<rootDir>/test/ui/**/*.test.ts'],
    testPathIgnorePatterns: [],
    testTimeout: 120_000,
    maxWorkers: 1,
};
