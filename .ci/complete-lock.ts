/**
 * Completes package-lock.json: packages with a native part name one package per platform, and npm leaves out those that the registry
 * in use does not carry (many mirrors carry only their own platforms). `npm ci` then refuses the lock anywhere. This adds them without
 * an integrity hash, so that each is looked up where its platform is. Run `npx node .ci/complete-lock.ts` after changing a dependency.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { stdout } from 'node:process';

interface LockedPackage {
    version?: string;
    cpu?: string[];
    dev?: boolean;
    libc?: string[];
    optional?: boolean;
    os?: string[];
    optionalDependencies?: Record<string, string>;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const LOCK = new URL('../package-lock.json', import.meta.url);

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(await readFile(LOCK, 'utf8'));
const added: string[] = [];
for (const [folder, { dev, optionalDependencies }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
        const platform = platformOf(name);
        if (platform !== undefined && !isLocked(folder, name)) {
            lock.packages[`node_modules/${name}`] = { version, ...(dev === true && { dev }), optional: true, ...platform };
            added.push(`${name}@${version}`);
        }
    }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
if (added.length > 0) {
    await writeFile(LOCK, `${JSON.stringify(lock, null, 4)}\n`);
}
stdout.write(added.length === 0 ? 'package-lock.json is complete\n' : `added to package-lock.json:\n${added.join('\n')}\n`);

/**
 * The platform that a package is for, by its name, `<tool>-<system>-<cpu>[-<libc or compiler>]`; undefined for a package that is optional
 * for another reason.
 */
function platformOf(name: string): LockedPackage | undefined {
    const words = name.split(/[/-]/);
    const at = words.findIndex((word) => SYSTEMS.includes(word));
    const [system, cpu, variant = ''] = words.slice(at);
    if (at < 0 || system === undefined || cpu === undefined) {
        return undefined;
    }
    const libc = system !== 'linux' || variant === '' ? undefined : variant.startsWith('musl') ? 'musl' : 'glibc';
    return { cpu: [cpu], os: [system], ...(libc !== undefined && { libc: [libc] }) };
}

/** True if Node, looking from the folder upwards, would find the package. */
function isLocked(folder: string, name: string): boolean {
    for (let from = folder; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
        if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in lock.packages) {
            return true;
        }
        if (from === '') {
            return false;
        }
    }
}
