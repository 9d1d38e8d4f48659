/** Tests against an AWS on this machine: `npm run test:aws`. They share one deployment, so they run one after the other. */
import base from '../../jest.config.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: ['<rootDir>/test/aws/**/*.test.ts'],
    testPathIgnorePatterns: [],
    globalSetup: '<rootDir>/test/aws/support/start-cloud.js',
    globalTeardown: '<rootDir>/test/aws/support/stop-cloud.js',
    testTimeout: 180_000,
    maxWorkers: 1,
};
