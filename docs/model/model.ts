/** A model that spin tries, and the runs of it. */

export interface Model {
    /** Name of the file beside this one. */
    file: string;
    /** What it is of, for people. */
    of: string;
    bounds: readonly Bounds[];
    /** What each promise of the model says. */
    promises: Readonly<Record<string, string>>;
    variants: readonly Variant[];
    /** What must be seen to happen, with the definitions that it needs: a model that never comes there proves nothing. */
    goals: Readonly<Record<string, readonly string[]>>;
}

export interface Bounds {
    name: string;
    /** Definitions for the model, `-D`. */
    defines: readonly string[];
    /** True for runs that take several minutes and up to 6 GB: only with `--deep`. */
    isDeep?: boolean;
}

export interface Variant {
    name: string;
    /** What is done in place of the rule. */
    text: string;
    defines: readonly string[];
    /** The promise that its shortest history breaks. */
    breaks: string;
}
