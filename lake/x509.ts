/**
 * @peculiar/x509 behind what it stands on: tsyringe, below it, wants reflect-metadata in place before it is loaded. Both homes take it from here. A constant and no
 * export of the package's own, because a bundler that cuts the program into chunks leaves a module without code out, and with it the order of its imports.
 */
import 'reflect-metadata';
// The same for the bundler, and no more than that for Node and jest.
import './reflection.ts';
import * as library from '@peculiar/x509';

export const x509 = library;
