/**
 * The registry of devices: a record each, with a line for each assignment, oldest first. An assignment carries its dates and is never changed by
 * a later one: what was measured in January belongs to the place of January.
 */
import pMap from 'p-map';
import { shortAddress } from '#lake/addresses';
import { StorageError, UsageError } from '#lake/errors';
import { checkSite, DEFAULT_SITE, DEVICES_PREFIX, deviceIdOf, deviceKey, isDeviceId } from '#lake/layout';
import { ABSENT, CALLS_AT_ONCE, type ObjectStore, tryPut } from '#lake/store/object-store';

/** A row of table `devices`. Days are `YYYY-MM-DD` in UTC; `valid_from` is inclusive, `valid_to` exclusive. */
export interface Assignment {
    site: string;
    device: string;
    profile: string;
    ip: string | null;
    valid_from: string | null;
    valid_to: string | null;
    place: string | null;
}

/** What is said of a device; what is left out stays as it was. */
export interface DeviceChange {
    device: string;
    profile?: string | undefined;
    site?: string | undefined;
    ip?: string | undefined;
    place?: string | undefined;
    /** First day of the assignment, `YYYY-MM-DD`; of a new device from the beginning where it is left out. */
    from?: string | undefined;
}

/** Assignments of a device, oldest first; none where it is not registered. @throws StorageError where its record is damaged */
export async function readDevice(store: ObjectStore, id: string): Promise<Assignment[]> {
    return (await readRecord(store, id)).assignments;
}

/** Assignments of every device, by its id and then oldest first. @throws StorageError where a record is damaged */
export async function readDevices(store: ObjectStore): Promise<Assignment[]> {
    const ids: string[] = [];
    for await (const { key } of store.list(DEVICES_PREFIX)) {
        const id = deviceIdOf(key);
        ids.push(...(id === undefined ? [] : [id]));
    }
    const found = await pMap(ids, (id) => readDevice(store, id), { concurrency: CALLS_AT_ONCE });
    return found.flat().sort((a, b) => (a.device === b.device ? 0 : a.device < b.device ? -1 : 1));
}

/** The assignment that holds on a day (`YYYY-MM-DD`, UTC); undefined where none does. */
export function assignmentOn(assignments: readonly Assignment[], day: string): Assignment | undefined {
    return assignments.find(({ valid_from: from, valid_to: to }) => (from ?? '') <= day && (to === null || day < to));
}

/** What a change came to. */
export type Registered = 'added' | 'changed' | 'unchanged';

/**
 * Registers the device, or gives it a new assignment: the one before ends on the day on which that begins. An assignment from the same day on takes the
 * place of the one that was there. Safe to repeat. With `areAddressesChecked` nobody is asked for the other devices' addresses.
 * @throws UsageError for what the registry cannot hold, also an address that another device of the site has on one of these days
 */
export async function registerDevice(
    store: ObjectStore,
    change: DeviceChange,
    { today, areAddressesChecked = false }: { today: string; areAddressesChecked?: boolean },
): Promise<Registered> {
    for (;;) {
        const { assignments: before, etag } = await readRecord(store, change.device);
        const after = applyChange(before, change, { today });
        if (textOf(after) === textOf(before)) {
            return 'unchanged';
        }
        if (!areAddressesChecked && after.some(({ ip }) => ip !== null)) {
            const others = (await readDevices(store)).filter(({ device }) => device !== change.device);
            checkAddresses([...others, ...after], { changed: new Set([change.device]) });
        }
        if (await tryPut(store, deviceKey(change.device), Buffer.from(textOf(after)), { ifMatch: etag })) {
            return before.length === 0 ? 'added' : 'changed';
        }
        // Another was faster, or the answer was lost: look again.
    }
}

/** The assignments with the change. @throws UsageError for what the registry cannot hold */
export function applyChange(before: readonly Assignment[], change: DeviceChange, { today }: { today: string }): Assignment[] {
    const { device, profile, site, ip, place, from } = change;
    if (!isDeviceId(device)) {
        const rule = 'letters, digits, dot, dash, underscore and colon, beginning with a letter or digit, 128 at most';
        const usable = device.replace(/[^A-Za-z0-9._:-]+/g, ':').replace(/^[^A-Za-z0-9]+/, '');
        const instead = isDeviceId(usable)
            ? `. Register ${usable}, and let the profile make that of what the device sends: "device": {"text": "{gateway}:{node}"}, for example (docs/profiles.md)`
            : '';
        throw new UsageError(`The device id ${JSON.stringify(device)} is not usable: ${rule}${instead}`);
    }
    checkSite(site);
    const last = before.at(-1);
    const of = profile ?? last?.profile;
    if (of === undefined) {
        throw new UsageError(`Device ${device} is new: say how its messages are read with --profile`);
    }
    const next: Assignment = {
        site: site ?? last?.site ?? DEFAULT_SITE,
        device,
        profile: of,
        ip: ip === undefined ? (last?.ip ?? null) : addressOf(ip),
        valid_from: from ?? (last ? today : null),
        valid_to: null,
        place: place ?? last?.place ?? null,
    };
    if (!last) {
        return [next];
    }
    if (isSame(next, last) && (from === undefined || from === last.valid_from)) {
        return [...before];
    }
    const [begins, began] = [next.valid_from ?? '', last.valid_from ?? ''];
    if (begins < began) {
        throw new UsageError(
            `Device ${device} has an assignment from ${began} on: a new one begins on that day or later, not on ${begins}`,
        );
    }
    return begins === began ? [...before.slice(0, -1), next] : [...before.slice(0, -1), { ...last, valid_to: begins }, next];
}

function isSame(one: Assignment, other: Assignment): boolean {
    return textOf([{ ...one, valid_from: null, valid_to: null }]) === textOf([{ ...other, valid_from: null, valid_to: null }]);
}

function addressOf(ip: string): string {
    const address = shortAddress(ip);
    if (address === undefined) {
        throw new UsageError(`${JSON.stringify(ip)} is no address: 10.0.0.7, or 2001:db8::7`);
    }
    return address;
}

/**
 * Looks whether a device that was changed has the address of another one of its site on one of the same days: its traffic would be told of both.
 * @throws UsageError where one has
 */
export function checkAddresses(all: readonly Assignment[], { changed }: { changed: ReadonlySet<string> }): void {
    const withAddress = all.filter(({ ip }) => ip !== null);
    const byAddress = groupBy(withAddress, ({ site, ip }) => `${site} ${ip}`);
    for (const own of withAddress.filter(({ device }) => changed.has(device))) {
        const other = byAddress.get(`${own.site} ${own.ip}`)?.find((one) => one.device !== own.device && overlap(one, own));
        if (other) {
            const since = other.valid_from === null ? '' : ` from ${other.valid_from} on`;
            throw new UsageError(
                `Device ${own.device} cannot have address ${own.ip} at site ${own.site}: device ${other.device} has it${since}. Give that one another first, or say --from`,
            );
        }
    }
}

/** The items by what `keyOf` says of each, in their order. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const item of items) {
        const group = groups.get(keyOf(item)) ?? [];
        group.push(item);
        groups.set(keyOf(item), group);
    }
    return groups;
}

function overlap(one: Assignment, other: Assignment): boolean {
    const endsBefore = (a: Assignment, b: Assignment): boolean => a.valid_to !== null && a.valid_to <= (b.valid_from ?? '');
    return !endsBefore(one, other) && !endsBefore(other, one);
}

/** A line of JSON for each assignment: so every engine reads them as rows. */
function textOf(assignments: readonly Assignment[]): string {
    return assignments.map((assignment) => `${JSON.stringify(assignment)}\n`).join('');
}

async function readRecord(store: ObjectStore, id: string): Promise<{ assignments: Assignment[]; etag: string }> {
    const object = isDeviceId(id) ? await store.get(deviceKey(id)) : undefined;
    if (!object) {
        return { assignments: [], etag: ABSENT };
    }
    return { assignments: parseAssignments(object.bytes, { key: object.info.key, device: id }), etag: object.info.etag };
}

/** The assignments in a record's bytes, oldest first. @throws StorageError where it is damaged */
export function parseAssignments(bytes: Uint8Array, { key, device }: { key: string; device: string }): Assignment[] {
    const lines = Buffer.from(bytes)
        .toString()
        .split('\n')
        .filter((line) => line !== '');
    const assignments = lines.map(parseLine);
    if (!assignments.every((assignment): assignment is Assignment => isAssignment(assignment) && assignment.device === device)) {
        throw new StorageError(
            `${key} is no record of device ${device}: restore it from a backup, or delete it and register the device anew`,
        );
    }
    return assignments;
}

function parseLine(line: string): unknown {
    try {
        return JSON.parse(line);
    } catch {
        return undefined;
    }
}

function isAssignment(value: unknown): value is Assignment {
    const fields = new Map<string, unknown>(Object.entries(value ?? {}));
    const isText = (name: string): boolean => typeof fields.get(name) === 'string';
    return (
        ['site', 'device', 'profile'].every(isText) &&
        ['ip', 'valid_from', 'valid_to', 'place'].every((name) => isText(name) || fields.get(name) === null)
    );
}
