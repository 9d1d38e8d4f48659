/** What a lake must hold after what people did to it, apart from all code of the lake; and what no reader may ever see. */

import type { ReadingOptions } from '#lake/kind';
import { siteOf } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { readContains } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { FLOWS_FORMAT, readPairRows } from '#test/support/flow-tables';
import { countUp, type Figures, figuresOf, type SmallFile } from '#test/support/small-files';
import { asReadBefore } from './older-release.ts';

export interface Upload {
    key: string;
    file: SmallFile;
    options: ReadingOptions;
    generation: string;
    etag: string;
    isRetracted: boolean;
}

export class Truth {
    /** What was seen that may not be. */
    readonly faults: string[] = [];
    readonly #latest = new Map<string, Upload>();
    readonly #uploads: Upload[] = [];
    /** What each version that was ever live was read from. */
    readonly #live = new Map<string, Upload>();

    uploaded(upload: Upload): void {
        this.#latest.set(upload.key, upload);
        this.#uploads.push(upload);
    }

    latest(key: string): Upload | undefined {
        return this.#latest.get(key);
    }

    /** What the figures must be once all work is done: of every source its latest upload, unless that was retracted. */
    figures(): Figures {
        return countUp([...this.#latest.values()].filter(({ isRetracted }) => !isRetracted).map(withSite));
    }

    /** A version is live from now on. */
    committed(record: LedgerRecord): void {
        const upload = this.#uploads.find(({ key, etag, options }) => {
            return key === record.source && etag === record.etag && JSON.stringify(options) === JSON.stringify(record.options);
        });
        if (record.version !== null && upload) {
            const isOld = (record.summary_format ?? 0) < FLOWS_FORMAT;
            const read = isOld ? { ...upload, file: asReadBefore(upload.file) } : upload;
            this.#live.set(`${sourceId(record.source)}.${record.version}`, read);
        }
    }

    /** What a reader sees from now on: whole contributions, of versions that were live, one of each source, and none lost that counts. */
    async checkDay(
        day: string,
        { bytes, before, store }: { bytes: Uint8Array<ArrayBuffer>; before: readonly string[]; store: ObjectStore },
    ): Promise<void> {
        const contained = readContains(bytes);
        for (const name of before.filter((name) => !contained.includes(name))) {
            const [source = '', version = ''] = name.split('.');
            if ((await readLedger(store, source)).record?.version === version) {
                this.faults.push(`${day} does not contain ${name} any more, which counts`);
            }
        }
        const uploads = contained.map((name) => this.#live.get(name));
        if (uploads.includes(undefined)) {
            this.faults.push(`${day} contains what was never live: ${contained}`);
            return;
        }
        const sources = contained.map((name) => name.split('.')[0]);
        if (new Set(sources).size < sources.length) {
            this.faults.push(`${day} contains two versions of one source: ${contained}`);
        }
        const all = countUp(uploads.flatMap((upload) => (upload ? [withSite(upload)] : [])));
        const wanted = [...all].filter(([key]) => key.startsWith(day));
        const found = figuresOf(await readPairRows(bytes), day).sort(([a], [b]) => (a < b ? -1 : 1));
        if (JSON.stringify(found) !== JSON.stringify(wanted)) {
            this.faults.push(`${day} is not what it contains: found ${JSON.stringify(found)}, of ${contained}: ${JSON.stringify(wanted)}`);
        }
    }
}

function withSite({ key, file, options }: Upload): { file: SmallFile; site: string; options: ReadingOptions } {
    return { file, site: siteOf(key), options };
}
