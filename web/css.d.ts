/** Styles are imported for the build, which gathers them into one file. */
declare module '*.css';
