/** Registers a device, and shows those that are. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { tellServe } from '#cli/tell-serve';
import { useLake } from '#cli/use-lake';
import { endingSoon, holdingCertificates, readAllCredentials, readCredentials } from '#lake/credentials';
import { type Assignment, type DeviceChange, readDevice, readDevices, registerDevice } from '#lake/devices';
import { devices } from '#lake/devices-table';
import { UsageError } from '#lake/errors';
import { addInput, sayInput } from '#lake/inputs';
import { kindsWithInputs } from '#lake/kinds';
import { nearestOf } from '#lake/nearest';
import type { Value } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';
import { findPreset } from '#lake/upload/named-inputs';
import { checkWishes, makeCredentials, sayCredentials, sayMade } from './credentials.ts';
import { isWished, type Wishes } from './wishes.ts';

/**
 * Registers the device, or a new assignment of it, and makes the credentials that are wished for. Each write is whole by itself: one that is cut off leaves no
 * work, and so needs no mark.
 */
export async function addDevice(change: DeviceChange, wishes: Wishes, context: RunContext): Promise<number> {
    return useLake(
        context,
        async (lake) => {
            const store = await lake.store();
            await checkWishes(lake, [change.device], wishes);
            await needProfiles(store, [change.profile], context);
            const result = await registerDevice(store, change, { today: todayOf(context) });
            const last = (await readDevice(store, change.device)).at(-1);
            const nothing = result === 'unchanged' ? 'Nothing to change: d' : 'D';
            await context.stderr.write(`${nothing}evice ${change.device} ${last ? sayAssignment(last) : ''}\n`);
            if (lake.kind === 's3') {
                const { noteOnAws } = await import('./aws.ts');
                await noteOnAws(lake, [change.device], context);
            }
            if (isWished(wishes)) {
                const made = await makeCredentials(lake, change.device, wishes, context);
                await sayMade(lake, change.device, { wishes, made }, context);
            }
            await tellServe(lake);
            return 0;
        },
        { mayBeNew: true },
    );
}

/** Has the profiles in the lake: presets are added. @throws UsageError for one that neither the lake nor the program has */
export async function needProfiles(store: ObjectStore, names: readonly (string | undefined)[], { stderr }: RunContext): Promise<void> {
    const kind = kindsWithInputs().find(({ inputs }) => inputs.noun === PROFILE);
    for (const name of new Set(names.filter((one) => one !== undefined))) {
        if (!kind) {
            throw new UsageError(`This flowlake reads no messages of devices, so there is no profile ${name}: install a version that does`);
        }
        for (const { document } of await findPreset(store, { kind, name })) {
            const { version } = await addInput(store, kind.inputs.prefix, name, document, { onlyFirst: true });
            await stderr.write(`Added ${sayInput(kind, { name, version })} to the lake, a preset of this program\n`);
        }
    }
}

/** What documents are called by which messages of devices are read. */
const PROFILE = 'profile';

/** Today in UTC. */
export function todayOf({ now }: Pick<RunContext, 'now'>): string {
    return now().toISOString().slice(0, 'yyyy-mm-dd'.length);
}

function sayAssignment({ profile, site, ip, place, valid_from: from }: Assignment): string {
    const where = `at site ${site}${place === null ? '' : ` (${place})`}${ip === null ? '' : `, address ${ip}`}`;
    return `is read by profile ${profile} ${where}, from ${from ?? 'the beginning'} on`;
}

/** Prints a row for each device as it stands today, and tells of certificates near their end. @throws Failure for a site where none ever was */
export async function listDevices({ site }: { site: string | undefined }, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const all = await devicesAt(site, store);
        const today = todayOf(context);
        await print(
            all.filter(({ valid_from: from, valid_to: to }) => (from ?? '') <= today && (to === null || today < to)),
            context,
        );
        const ids = new Set(all.map(({ device }) => device));
        const certificates = holdingCertificates(await readAllCredentials(store)).filter(({ device }) => ids.has(device));
        const ending = endingSoon(certificates, { now: context.now() });
        await context.stderr.write(ending.map((one) => `${sayEnding(one, context)}\n`).join(''));
        return 0;
    });
}

function sayEnding({ device, notAfter }: { device: string; notAfter: Date }, { now }: Pick<RunContext, 'now'>): string {
    const ends = `${notAfter <= now() ? 'ended' : 'ends'} on ${notAfter.toISOString().slice(0, 'yyyy-mm-dd'.length)}`;
    return `The last certificate of device ${device} ${ends}: flowlake device add ${device} --out DIR makes another`;
}

/** Prints a row for each difference between registry, credentials and IoT Core. @returns 1 where there is one */
export async function compareDevices({ site }: { site: string | undefined }, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        if (lake.kind === 'directory') {
            throw new UsageError('--compare is for a lake in S3: of one in a directory nobody but the lake keeps devices');
        }
        const { differencesOfAll } = await import('./aws.ts');
        const ids = site === undefined ? undefined : new Set((await devicesAt(site, await lake.store())).map(({ device }) => device));
        const found = (await differencesOfAll(lake)).filter(({ device }) => ids === undefined || ids.has(device));
        const columns = ['device', 'what', 'what_to_do'].map((name) => ({ name, type: 'varchar' }));
        await printRows({ columns, batches: batchOf(found.map(({ device, what, todo }) => [device, what, todo])) }, context);
        return found.length > 0 ? 1 : 0;
    });
}

/** Assignments at the site, of all times; of every site where none is named. @throws Failure for a site where none ever was */
async function devicesAt(site: string | undefined, store: ObjectStore): Promise<Assignment[]> {
    const registered = await readDevices(store);
    const sites = [...new Set(registered.map((one) => one.site))];
    if (site !== undefined && !sites.includes(site)) {
        const nearest = nearestOf(site, sites).join(', ');
        throw new Failure(`No device is registered at a site ${site}${nearest === '' ? '' : `. The nearest: ${nearest}`}`);
    }
    return registered.filter((one) => site === undefined || one.site === site);
}

/** Prints a row for each assignment of the device. @throws Failure where it is not registered */
export async function showDevice(id: string, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const found = await readDevice(store, id);
        if (found.length === 0) {
            const nearest = nearestOf(id, [...new Set((await readDevices(store)).map(({ device }) => device))]);
            const hint = nearest.length > 0 ? `. The nearest: ${nearest.join(', ')}` : ': flowlake device add registers one';
            throw new Failure(`There is no device ${id}${hint}`);
        }
        await print(found, context);
        await context.stderr.write(`${sayCredentials(await readCredentials(store, id))}\n`);
        if (lake.kind === 's3') {
            const { differencesOfDevice, seeCertificates } = await import('./aws.ts');
            const seen = await seeCertificates(lake, id);
            const differences = seen === undefined ? [] : await differencesOfDevice(lake, id, seen);
            await context.stderr.write(differences.map(({ device, what, todo }) => `Device ${device} ${what}. ${todo}\n`).join(''));
        }
        return 0;
    });
}

async function print(assignments: readonly Assignment[], context: RunContext): Promise<void> {
    const names = devices.columns.map(({ name }) => name as keyof Assignment);
    const rows = assignments.map((assignment): Value[] => names.map((name) => assignment[name]));
    await printRows({ columns: names.map((name) => ({ name, type: 'varchar' })), batches: batchOf(rows) }, context);
}
