/** The tests of files.js: `npm run test:long`. */
import base from '../../jest.config.js';
import { LONG } from './files.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: LONG.map((path) => `<rootDir>/${path}`),
    testPathIgnorePatterns: ['/node_modules/'],
};
