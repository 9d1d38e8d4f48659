/** Finds the package on disk: what it reads at run time beside its code (sql/) is found from here. */

/**
 * The package's root folder as a file URL with the final slash. True for the sources (lake/) and for the built files (dist/):
 * both lie one level below it, and the build puts all of its files into dist/ itself.
 */
export const packageRoot = new URL('../', import.meta.url);
