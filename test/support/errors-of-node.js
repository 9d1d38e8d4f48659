/**
 * Jest runs tests in a world of their own, where `instanceof Error` denies the errors that Node throws (ENOENT and the like), and
 * the code under test would take another path than in production. This makes it say what it says there.
 */
const byPrototype = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
    value(thing) {
        return this === Error ? Error.isError(thing) : byPrototype.call(this, thing);
    },
});
