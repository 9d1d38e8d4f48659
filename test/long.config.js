/** The tests of test/long.js: `npm run test:long`. */
import base from '../jest.config.js';
import { LONG } from './long.js';

export default { ...base, rootDir: '..', testMatch: LONG.map((path) => `<rootDir>/${path}`), testPathIgnorePatterns: ['/node_modules/'] };
