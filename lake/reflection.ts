/**
 * Puts reflect-metadata in place. A module of its own, because it is CommonJS: a bundler runs such a one where its importer's own code begins, behind
 * all ES modules that the importer names.
 */
import 'reflect-metadata';
