import { argv } from 'node:process';
import { LONG } from './test/long/files.js';

/** True if a test that takes long is named on the command line. */
const isLongNamed = argv.some((word) => LONG.some((path) => path.startsWith(word.replace(/^\.\//, '')) && word.startsWith('test/')));

/** Tests run as ES modules on Node's own vm modules; @swc/jest only takes the types off. */
export default {
    testMatch: ['<rootDir>/test/**/*.test.ts'],
    // Left out: these need more than Node, or more time: npm run test:aws, test:kinds, test:engines, test:exporters, test:live, test:ui, test:bi, test:hard.
    testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/aws/',
        '<rootDir>/test/kinds/deployed-',
        '<rootDir>/test/engines/',
        '<rootDir>/test/exporters/',
        '<rootDir>/test/live/',
        '<rootDir>/test/ui/',
        '<rootDir>/test/bi/',
        '<rootDir>/test/hard/',
        ...(isLongNamed ? [] : LONG.map((path) => `<rootDir>/${path}`)),
    ],
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '\\.ts$': ['@swc/jest', { jsc: { experimental: { keepImportAttributes: true } } }] },
    globalSetup: '<rootDir>/test/support/build-once.js',
    setupFiles: ['<rootDir>/test/support/errors-of-node.js'],
    modulePathIgnorePatterns: ['<rootDir>/dist'],
    // Starting a program takes long on a busy machine.
    testTimeout: 30_000,
    maxWorkers: '100%',
};
