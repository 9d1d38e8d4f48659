/** Objects as tables of what data names: a device may call a metric `constructor`, and a person a rule `__proto__`, which every object answers to by itself. */

/** What stands under the name in the object itself. */
export function ownOf<T>(named: Readonly<Record<string, T>>, name: string): T | undefined {
    return Object.hasOwn(named, name) ? named[name] : undefined;
}

/** Sets what stands under the name in the object itself. */
export function setOwn<T>(named: Record<string, T>, name: string, value: T): void {
    if (name === '__proto__') {
        Object.defineProperty(named, name, { value, configurable: true, enumerable: true, writable: true });
    } else {
        named[name] = value;
    }
}
